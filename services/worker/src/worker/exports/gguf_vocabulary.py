"""A byte-level BPE tokenizer as a GGUF describes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from worker.trainer.errors import TrainingError

_NORMAL, _CONTROL, _USER_DEFINED, _UNUSED = 1, 3, 4, 5
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
Step = tuple[Any, ...]
# How text is cut before merging, by the name that `tokenizer.ggml.pre` has for it.
_PRE_TOKENIZERS: Mapping[tuple[Step, ...], str] = {
    (("ByteLevel", False, True),): "gpt-2",
    (("Digits", True), ("ByteLevel", False, True)): "smollm",
    (("Split", _LLAMA3, "Isolated", False), ("ByteLevel", False, False)): "llama-bpe",
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`tokens` by id, each with its type; `merges` in order."""

    pre: str
    tokens: list[str]
    types: list[int]
    merges: list[str]


def vocabulary_of(tokenizer: Any, size: int) -> Vocabulary:
    """Of a fast tokenizer, filled up to the `size` of the model's embedding. Raises TrainingError for other kinds."""
    data = json.loads(tokenizer.backend_tokenizer.to_str())
    model, pre = data["model"], tuple(_steps(data.get("pre_tokenizer")))
    if model["type"] != "BPE" or data.get("normalizer") is not None or pre not in _PRE_TOKENIZERS:
        kinds = ", ".join(sorted(set(_PRE_TOKENIZERS.values())))
        message = f"Its tokenizer ({model['type']}) is of a kind that is not written to GGUF."
        raise TrainingError("unsupported_gguf", message, f"Byte-level BPE is, cut as by {kinds}.")
    tokens: list[str | None] = [None] * max(size, len(tokenizer))
    types = [_UNUSED] * len(tokens)
    for token, index in model["vocab"].items():
        tokens[index], types[index] = token, _NORMAL
    for added in data["added_tokens"]:
        tokens[added["id"]] = added["content"]
        types[added["id"]] = _CONTROL if added["special"] else _USER_DEFINED
    named = [f"[PAD{index}]" if token is None else token for index, token in enumerate(tokens)]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    return Vocabulary(_PRE_TOKENIZERS[pre], named, types, merges)


def _steps(pre: Mapping[str, Any] | None) -> Iterator[Step]:
    """What a pre-tokenizer does, without what changes no token."""
    if pre is None:
        return
    match pre["type"]:
        case "Sequence":
            for part in pre["pretokenizers"]:
                yield from _steps(part)
        case "ByteLevel":
            yield "ByteLevel", pre["add_prefix_space"], pre.get("use_regex", True)
        case "Digits":
            yield "Digits", pre["individual_digits"]
        case "Split":
            yield "Split", pre["pattern"].get("Regex"), pre["behavior"], pre["invert"]
        case other:
            yield (other,)
