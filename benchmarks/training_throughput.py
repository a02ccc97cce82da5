"""Useful tokens per CPU second of training: Kargah's default beside HF Trainer's and TRL's, at equal tokens.

Every contender starts from the same weights, sees the same rows once, in its own process with one thread, and is
measured on the same held-out rows afterwards. Useful tokens are those that are not padding. All take their turns twice,
and the faster run of each counts: other processes can only slow one down.

    python -m benchmarks.training_throughput [--rows 240] [--contenders hf trl ours]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Row

_VOCABULARY = 8192
_BATCH = 8
_MAX_LENGTH = 512
_LEARNING_RATE = 1e-3
_TURNS = 2
_PEERS = {
    "hf": "HF Trainer, dynamic padding",
    "hf-auto": "HF Trainer, dynamic padding, bf16",
    "trl": "TRL SFT packing",
}


@dataclass(frozen=True)
class Result:
    """Of one contender: `cpu_seconds` and `wall_seconds` of the training loop alone, `tokens` without padding."""

    contender: str
    tokens: int
    cpu_seconds: float
    wall_seconds: float
    held_out_loss: float

    @property
    def rate(self) -> float:
        return self.tokens / self.cpu_seconds


def rows(count: int = 240, contenders: tuple[str, ...] = ("hf", "trl", "ours")) -> list[Row]:
    """Measure, one after the other; rows of Kargah beside each peer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, count)
        turns = [{contender: _measured(contender, folder) for contender in contenders} for _ in range(_TURNS)]
    results = {
        contender: max((turn[contender] for turn in turns), key=lambda ran: ran.rate) for contender in contenders
    }
    ours = results["ours"]
    return [_row(ours, results[peer]) for peer in contenders if peer != "ours"]


def prepare(folder: Path, count: int) -> None:
    """A 10 M parameter Llama, its tokenizer, and `count` rows to train on with a quarter more held out."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = {"<eos>": 0, "<pad>": 1, "<unk>": 2} | {f"w{number}": number + 3 for number in range(_VOCABULARY - 3)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<pad>", unk_token="<unk>")
    fast.save_pretrained(folder / "model")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=_VOCABULARY, hidden_size=256, intermediate_size=1024, num_hidden_layers=8, num_attention_heads=8,
        num_key_value_heads=4, max_position_embeddings=_MAX_LENGTH, tie_word_embeddings=True, bos_token_id=None,
        eos_token_id=0, pad_token_id=1,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder / "model")
    random = np.random.default_rng(0)
    _write(folder / "train.jsonl", [_text(random) for _ in range(count)])
    _write(folder / "held_out.jsonl", [_text(random) for _ in range(count // 4)])


def _text(random: np.random.Generator) -> str:
    """Words with frequent and rare ones, each hinting at the next; log-normal length, 120 in the mean."""
    length = int(np.clip(round(random.lognormal(np.log(120) - 0.32, 0.8)), 8, _MAX_LENGTH - 1))
    words = [int(random.zipf(1.3)) % 8000]
    while len(words) < length:
        fresh = int(random.zipf(1.3)) % 8000
        words.append(fresh if random.random() < 0.5 else (words[-1] * 31 + 7) % 8000)
    return " ".join(f"w{word}" for word in words)


def _write(path: Path, texts: list[str]) -> None:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")


def texts(path: Path) -> list[str]:
    return [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]


class Stopwatch:
    """CPU and wall time between two moments."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def read(self) -> tuple[float, float]:
        return time.process_time() - self._cpu, time.perf_counter() - self._wall


def train_hf(folder: Path, bf16: bool = False) -> tuple[Any, float, float]:
    """What people get who write the usual script: `Trainer` with a padding collator."""
    import torch
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        DataCollatorForLanguageModeling,
        Trainer,
        TrainingArguments,
    )

    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    model = AutoModelForCausalLM.from_pretrained(folder / "model", dtype=torch.float32)
    data = [
        {"input_ids": ids}
        for ids in tokenizer([text + tokenizer.eos_token for text in texts(folder / "train.jsonl")])["input_ids"]
    ]
    arguments = TrainingArguments(
        output_dir=str(folder / "hf"), per_device_train_batch_size=_BATCH, num_train_epochs=1, bf16=bf16,
        learning_rate=_LEARNING_RATE, warmup_steps=0.03, report_to=[], save_strategy="no", use_cpu=True, seed=1,
        disable_tqdm=True, logging_strategy="no", dataloader_pin_memory=False,
    )  # fmt: skip
    collator = DataCollatorForLanguageModeling(tokenizer, mlm=False)
    trainer = Trainer(model=model, args=arguments, train_dataset=data, data_collator=collator)
    return _timed(model, trainer.train)


def train_trl(folder: Path) -> tuple[Any, float, float]:
    """TRL's best-fit packing into rows of 512, two at a time, without the recomputation that is its default."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    model = AutoModelForCausalLM.from_pretrained(folder / "model", dtype=torch.float32)
    arguments = SFTConfig(
        output_dir=str(folder / "trl"), per_device_train_batch_size=2, num_train_epochs=1, packing=True,
        max_length=_MAX_LENGTH, learning_rate=_LEARNING_RATE, warmup_steps=0.03, report_to=[], save_strategy="no",
        use_cpu=True, bf16=False, gradient_checkpointing=False, disable_tqdm=True, seed=1, logging_strategy="no",
        dataloader_pin_memory=False,
    )  # fmt: skip
    data = Dataset.from_dict({"text": texts(folder / "train.jsonl")})
    trainer = SFTTrainer(model=model, args=arguments, train_dataset=data, processing_class=tokenizer)
    return _timed(model, trainer.train)


def train_ours(folder: Path) -> tuple[Any, float, float]:
    """The platform's trainer as a job runs it, with metrics, log and checkpoints."""
    import torch
    from transformers import AutoModelForCausalLM

    from kargah.contracts.runs import MetricsMessage, RunSpec, TrainerMessage
    from worker.trainer.main import execute
    from worker.trainer.testing import MemoryContext

    began: list[Stopwatch] = []
    ended: list[tuple[float, float]] = []

    def watch(context: MemoryContext, message: TrainerMessage) -> None:
        if message.type == "phase" and message.phase == "training" and not began:
            began.append(Stopwatch())
        if isinstance(message, MetricsMessage):
            ended.append(began[0].read())

    work = Path(tempfile.mkdtemp(dir=folder))
    params = {
        "method": "full", "epochs": 1, "batch_size": _BATCH, "learning_rate": _LEARNING_RATE, "weight_decay": 0,
        "max_length": _MAX_LENGTH, "eval_fraction": 0, "precision": "fp32", "seed": 1,
    }  # fmt: skip
    spec = RunSpec(
        job_id="bench", generation=1, recipe="sft", params=params, model_dir=str(folder / "model"), threads=1,
        dataset_path=str(folder / "train.jsonl"), dataset_format="text", work_dir=str(work),
        cache_dir=str(work / "cache"),
    )  # fmt: skip
    if execute(MemoryContext(spec, watch)) != 0:
        raise RuntimeError("the training failed")
    model = AutoModelForCausalLM.from_pretrained(work / "output", dtype=torch.float32)
    return model, *ended[-1]


def _timed(model: Any, train: Callable[[], Any]) -> tuple[Any, float, float]:
    watch = Stopwatch()
    train()
    return model, *watch.read()


def held_out_loss(model: Any, folder: Path) -> float:
    """Mean over tokens, one row at a time, so that nobody's batching matters."""
    import torch
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    model.eval()
    total, count = 0.0, 0
    for text in texts(folder / "held_out.jsonl"):
        ids = tokenizer(text + tokenizer.eos_token, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, :-1]
        total += float(torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum"))
        count += ids.shape[1] - 1
    return total / count


def contend(contender: str, folder: Path) -> Result:
    """Train and measure within this process."""
    import torch

    torch.set_num_threads(1)
    trainers: dict[str, Callable[[Path], tuple[Any, float, float]]] = {
        "hf": train_hf,
        "hf-auto": lambda path: train_hf(path, bf16=True),
        "trl": train_trl,
        "ours": train_ours,
    }
    model, cpu, wall = trainers[contender](folder)
    tokens = sum(len(text.split()) + 1 for text in texts(folder / "train.jsonl"))
    return Result(contender, tokens, cpu, wall, held_out_loss(model, folder))


def _measured(contender: str, folder: Path) -> Result:
    """In a process of its own, as whoever comes first would otherwise pay for the imports."""
    command = [sys.executable, "-m", "benchmarks.training_throughput", "--run", contender, "--folder", str(folder)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    ran = subprocess.run(command, env=os.environ | threads, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise RuntimeError(f"{contender} failed:\n{ran.stderr[-2000:]}")
    return Result(**json.loads(ran.stdout.splitlines()[-1]))


def _row(ours: Result, peer: Result) -> Row:
    return Row(
        benchmark="training",
        what="10 M Llama, log-normal lengths, fp32, 1 thread",
        unit="tokens/CPU s",
        ours=ours.rate,
        peer=_PEERS[peer.contender],
        theirs=peer.rate,
        ratio=ours.rate / peer.rate,
        goal=1.2 if peer.contender == "trl" else 2.5,
        note=f"held-out loss {ours.held_out_loss:.3f} and {peer.held_out_loss:.3f}",
    )


def main() -> None:
    """Print the rows as JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.training_throughput")
    parser.add_argument("--rows", type=int, default=240)
    parser.add_argument("--contenders", nargs="+", default=["hf", "trl", "ours"], choices=[*_PEERS, "ours"])
    parser.add_argument("--run", choices=[*_PEERS, "ours"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(contend(options.run, options.folder).__dict__))
    else:
        print(json.dumps([row.__dict__ for row in rows(options.rows, tuple(options.contenders))], indent=2))


if __name__ == "__main__":
    main()
