"""Facts are read from the files themselves; what could run code is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from kargah.adapters.folder_store import FolderStore
from kargah.contracts.models import ModelFacts, ModelFile
from kargah.domain.errors import Invalid
from registry.models.facts import read_facts

WEIGHTS = save({"a": np.zeros((10, 10), np.float16)})
LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "max_position_embeddings": 8192,
}


def facts(tmp_path: Path, **contents: object) -> ModelFacts:
    """Of a model whose files are `contents`; `__` stands for the dot of the name."""
    store = FolderStore(tmp_path)
    files = []
    for name, value in {"model__safetensors": WEIGHTS, **contents}.items():
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        sha256 = hashlib.sha256(data).hexdigest()
        store.put(f"blobs/{sha256}", data)
        files.append(ModelFile(path=name.replace("__", "."), size_bytes=len(data), sha256=sha256))
    return read_facts(store, files)


def refusals(tmp_path: Path, **contents: object) -> list[str]:
    with pytest.raises(Invalid) as caught:
        facts(tmp_path, **contents)
    return [error.message for error in caught.value.errors]


def test_a_language_model(tmp_path: Path) -> None:
    found = facts(tmp_path, config__json=LLAMA, tokenizer_config__json={"chat_template": "{{ messages }}"})
    assert found == ModelFacts(
        kind="causal_lm",
        model_type="llama",
        architectures=["LlamaForCausalLM"],
        parameters=100,
        context_length=8192,
        has_chat_template=True,
    )


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_positions": 1024}, "causal_lm"),
        ({"model_type": "bert", "architectures": ["BertModel"]}, "encoder"),
        ({"model_type": "bert", "architectures": ["BertForMaskedLM"]}, "encoder"),
        ({"model_type": "bert", "architectures": ["BertForSequenceClassification"]}, "classifier"),
        ({"model_type": "llama"}, "other"),
        ({"model_type": "whisper", "architectures": ["WhisperForConditionalGeneration"]}, "other"),
        ({"model_type": "bert", "architectures": [5, "x\0y", "a" * 500]}, "encoder"),
    ],
)
def test_kinds(tmp_path: Path, config: dict[str, Any], kind: str) -> None:
    found = facts(tmp_path, config__json=config)
    assert found.kind == kind
    assert found.parameters == 100
    assert all("\0" not in name for name in found.architectures)


def test_an_adapter(tmp_path: Path) -> None:
    config = {"peft_type": "LORA", "base_model_name_or_path": "owner/base", "auto_mapping": None}
    found = facts(tmp_path, adapter_config__json=config)
    assert (found.kind, found.base_model, found.model_type) == ("adapter", "owner/base", None)
    config["base_model_name_or_path"] = "/home/someone/base"
    assert facts(tmp_path, adapter_config__json=config).base_model is None


@pytest.mark.parametrize(
    ("contents", "word"),
    [
        ({"config__json": {**LLAMA, "auto_map": {"AutoModel": "modeling.M"}}}, "auto_map"),
        ({"config__json": {**LLAMA, "model_type": "my_model"}}, "my_model"),
        ({"config__json": {"architectures": ["X"]}}, "model_type"),
        ({"config__json": {"model_type": ["llama"]}}, "model_type"),
        ({"config__json": b"[]"}, "no JSON object"),
        ({"config__json": b"{"}, "not JSON"),
        ({"config__json": b'{"a":' * 100_000}, "not JSON"),
        ({"config__json": b"\xff\xfe"}, "not JSON"),
        ({"config__json": LLAMA, "tokenizer_config__json": {"auto_map": {"AutoTokenizer": ["t.T"]}}}, "auto_map"),
        ({"adapter_config__json": {"auto_mapping": {"parent_library": "os"}}}, "auto_mapping"),
        ({"config__json": LLAMA, "model__safetensors": b"\x80\x04\x95pickle"}, "sound"),
        ({"config__json": LLAMA, "model__safetensors": WEIGHTS[:-1]}, "sound"),
    ],
)
def test_what_is_refused(tmp_path: Path, contents: dict[str, object], word: str) -> None:
    messages = refusals(tmp_path, **contents)
    assert len(messages) == 1 and word in messages[0]


def test_every_bad_file_is_named(tmp_path: Path) -> None:
    assert len(refusals(tmp_path, config__json=b"{", model__safetensors=b"", tokenizer_config__json=b"x")) == 3
