"""Real models that are small enough to be made and trained in a test: a Llama, a BERT, and data they can learn."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

_LATIN = ["red", "green", "blue", "one", "two", "three", "cat", "dog", "bird", "sky", "sea", "sun"]
_WORDS = [*_LATIN, "کارگاه", "سلام", "دنیا", "کتاب", "آب"]
_CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Canonical JSONL."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def question_rows(count: int, seed: int = 0) -> list[dict[str, str]]:
    """Questions of varied length whose answer is their last word: a few epochs are enough to learn it."""
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        words = [rng.choice(_WORDS) for _ in range(rng.randint(2, 14))]
        rows.append({"question": f"{number} " + " ".join(words), "answer": words[-1]})
    return rows


def labelled_rows(count: int, seed: int = 0) -> list[dict[str, str]]:
    """Texts of three classes, each with a word that gives it away."""
    rng = random.Random(seed)
    telling = {"colour": "red", "number": "two", "animal": "dog"}
    rows = []
    for number in range(count):
        label = rng.choice(list(telling))
        words = [rng.choice(_WORDS[9:]) for _ in range(rng.randint(1, 9))]
        words.insert(rng.randint(0, len(words)), telling[label])
        rows.append({"text": f"{number} " + " ".join(words), "label": label})
    return rows


def tiny_llama(folder: Path, template: bool = True, *, marks: bool = True, context: int = 256, **changes: Any) -> Path:
    """A Llama of about 60 thousand parameters with a byte-level tokenizer; `changes` go into its config.

    Without `marks` the tokenizer does not know where turns begin and end.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _byte_level_tokenizer(template, marks, context)
    config = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": context,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "tie_word_embeddings": True,
    }
    torch.manual_seed(1)
    LlamaForCausalLM(LlamaConfig(**config | changes)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_bert(folder: Path, **changes: Any) -> Path:
    """A BERT of about 40 thousand parameters with a word-piece tokenizer."""
    import torch
    from transformers import BertConfig, BertForMaskedLM

    tokenizer = _word_tokenizer()
    config = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 128,
        "pad_token_id": tokenizer.pad_token_id,
    }
    torch.manual_seed(1)
    BertForMaskedLM(BertConfig(**config | changes)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _byte_level_tokenizer(template: bool, marks: bool, context: int) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|im_start|>", "<|im_end|>", "<pad>"] if marks else ["</s>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(), trainer)
    eos = "<|im_end|>" if marks else "</s>"
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=eos, pad_token="<pad>")
    fast.model_max_length = context
    if template:
        fast.chat_template = _CHATML
    return fast


def _word_tokenizer() -> Any:
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertTokenizerFast

    tokenizer = BertWordPieceTokenizer(lowercase=True)
    tokenizer.train_from_iterator(_texts(), vocab_size=300, min_frequency=1, show_progress=False)
    return BertTokenizerFast(tokenizer_object=tokenizer._tokenizer, model_max_length=128)


def _texts() -> list[str]:
    rows = [f"user assistant {row['question']} {row['answer']}" for row in question_rows(200)]
    return [*rows, "0 1 2 3 4 5 6 7 8 9"]
