"""Kind `export`, format `gguf`: one file with weights, tokenizer and chat template, as llama.cpp reads it."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path
from typing import Any

import torch

from kargah.contracts.runs import OutputMessage
from worker.exports.gguf_model import write_gguf
from worker.trainer.artifacts import settle
from worker.trainer.causal_model import open_adapter
from worker.trainer.context import Outcome, RunContext
from worker.trainer.context_reporter import ContextReporter
from worker.trainer.errors import TrainingError
from worker.trainer.export_card import gguf_card
from worker.trainer.export_check import TEXTS, Check
from worker.trainer.models import load_model, load_tokenizer, quieten
from worker.trainer.output import template_of

# Of the logits' spread: eight bits cost more than sixteen.
_TOLERANCES = {"f16": 0.05, "q8_0": 0.5}


def export_gguf(context: RunContext) -> Outcome:
    """An adapter is merged first, in float32. What was written is read back by transformers, compared with the source,
    and speaks: only then is it handed over. Raises TrainingError, Interruption, OSError when there is no room."""
    spec = context.spec
    if spec.model_dir is None:
        raise TrainingError("bad_spec", "An export needs a model.", "Submit the job with a model.")
    context.phase("preparing")
    quieten()
    reporter = ContextReporter(context)
    quantization = str(spec.params.get("quantization", "f16"))
    folder = Path(spec.work_dir) / "output"
    folder.mkdir(parents=True, exist_ok=True)
    name = str(spec.facts.get("output_model") or spec.job_id)
    path = folder / f"{name.rpartition('/')[2]}-{quantization}.gguf"
    tokenizer = load_tokenizer(_with_tokenizer(context))
    check = Check(tokenizer, spec.threads)
    _write(context, tokenizer, path, quantization, check, reporter)
    reporter.progress(70, "reading back what was written")
    metrics = _read_back(path, tokenizer, check, _TOLERANCES[quantization])
    metrics |= {"format": "gguf", "quantization": quantization, "size_bytes": path.stat().st_size}
    reporter.log(f"Read back: differs by {metrics['difference']:.2g} at most, and says {metrics['sample']!r}")
    (folder / "README.md").write_text(gguf_card(spec.facts, metrics, path.name), encoding="utf-8")
    _copy_license(context, folder)
    context.phase("saving")
    reporter.progress(95, "hashing")
    lineage = template_of(tokenizer)
    context.output(OutputMessage(directory=str(folder), files=settle(folder), metrics=metrics, lineage=lineage))
    return "finished"


def _with_tokenizer(context: RunContext) -> Path:
    model, base = Path(str(context.spec.model_dir)), context.spec.base_dir
    return model if base is None or (model / "tokenizer_config.json").is_file() else Path(base)


def _write(
    context: RunContext, tokenizer: Any, path: Path, quantization: str, check: Check, reporter: ContextReporter
) -> None:
    """The model is gone from memory afterwards, for there may be no room for two of them."""
    facts = context.spec.facts
    reporter.progress(5, "opening the model")
    model = _open(context)
    check.expect(model)
    reporter.progress(30, "writing")
    about = {"name": str(facts.get("output_model") or path.stem), "license": str(facts.get("license") or "")}

    def on_tensor(done: int, total: int) -> None:
        reporter.progress(30 + 35 * done / total, f"writing: {done} of {total} tensors")

    write_gguf(model, tokenizer, path, quantization, about, on_tensor)
    del model
    gc.collect()


def _open(context: RunContext) -> Any:
    from transformers import AutoModelForCausalLM

    spec = context.spec
    whole = Path(spec.base_dir or str(spec.model_dir))
    model = load_model(AutoModelForCausalLM, whole, torch.float32).eval()
    if spec.base_dir is not None:
        model = open_adapter(model, Path(str(spec.model_dir))).merge_and_unload(safe_merge=True)
    return model


def _read_back(path: Path, tokenizer: Any, check: Check, tolerance: float) -> dict[str, Any]:
    """Raises TrainingError when the file is not the model that was written, or speaks with other tokens."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    local = {"gguf_file": path.name, "local_files_only": True, "trust_remote_code": False}
    found = AutoTokenizer.from_pretrained(path.parent, **local)
    texts = [*TEXTS, *([tokenizer.apply_chat_template(_TALK, tokenize=False)] if tokenizer.chat_template else [])]
    same = all(found(text)["input_ids"] == tokenizer(text)["input_ids"] for text in texts)
    if not same or template_of(found) != template_of(tokenizer):
        raise TrainingError("bad_export", "The GGUF's tokenizer, read back, gives other tokens or another template.")
    model = AutoModelForCausalLM.from_pretrained(path.parent, dtype=torch.float32, **local).eval()
    return check.found(model, tolerance)


_TALK = [{"role": "user", "content": "سلام"}, {"role": "assistant", "content": "Hello!"}]


def _copy_license(context: RunContext, folder: Path) -> None:
    licence = Path(context.spec.base_dir or str(context.spec.model_dir)) / "LICENSE"
    if licence.is_file():
        shutil.copyfile(licence, folder / "LICENSE")
