"""The byte-level BPE tokenizer that a GGUF carries, as transformers reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Digits, PreTokenizer, Sequence

from worker.installs.errors import InstallFailed

_CONTROL_TOKEN = 3
# How text is cut before merging, by the name that `tokenizer.ggml.pre` gives it.
_PRE_TOKENIZERS: dict[str, tuple[PreTokenizer, ...]] = {
    "gpt-2": (ByteLevel(add_prefix_space=False),),
    "smollm": (Digits(individual_digits=True), ByteLevel(add_prefix_space=False)),
}


def write_tokenizer(facts: Mapping[str, Any], target: Path) -> None:
    """Write tokenizer.json, tokenizer_config.json and chat_template.jinja into `target`.

    Raises InstallFailed for a tokenizer that is no byte-level BPE of a known kind.
    """
    _build(facts).save(str(target / "tokenizer.json"))
    config = json.dumps(_config(facts), indent=2, ensure_ascii=False)
    (target / "tokenizer_config.json").write_text(config + "\n", encoding="utf-8")
    if template := facts.get("tokenizer.chat_template"):
        (target / "chat_template.jinja").write_text(template, encoding="utf-8")


def _build(facts: Mapping[str, Any]) -> Tokenizer:
    kind, pre = facts.get("tokenizer.ggml.model"), facts.get("tokenizer.ggml.pre", "gpt-2")
    if kind != "gpt2" or pre not in _PRE_TOKENIZERS:
        raise InstallFailed("unsupported_gguf", f"its tokenizer ({kind}, {pre}) is of an unknown kind")
    tokens: list[str] = facts["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ", 1)) for merge in facts["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(BPE(vocab={token: index for index, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = Sequence(list(_PRE_TOKENIZERS[pre]))
    tokenizer.decoder = ByteLevelDecoder()
    types = facts["tokenizer.ggml.token_type"]
    control = [token for token, kind in zip(tokens, types, strict=True) if kind == _CONTROL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    return tokenizer


def _config(facts: Mapping[str, Any]) -> dict[str, Any]:
    tokens = facts["tokenizer.ggml.tokens"]
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": facts["llama.context_length"],
        "clean_up_tokenization_spaces": False,
    }
    names = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
    for name, short in names.items():
        if (index := facts.get(f"tokenizer.ggml.{short}_token_id")) is not None:
            config[name] = tokens[index]
    return config
