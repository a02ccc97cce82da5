"""What a version's files tell about it, read from the object store: configurations and headers, no weights."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kargah.contracts.models import ModelFacts, ModelFile
from kargah.domain.errors import FieldError, Invalid
from kargah.domain.model_files import (
    CONFIG_FILES,
    ENCODERS,
    GGUF,
    problem_with_code,
    problem_with_config,
)
from kargah.ports.object_store import ObjectStore
from registry.blobs.service import PREFIX
from registry.models.card import read_license
from registry.models.gguf_facts import read_gguf_facts
from registry.models.safetensors_header import LENGTH_BYTES, BadHeader, header_length, parse_header

ADAPTER_CONFIG = "adapter_config.json"
_MAX_CONFIG_BYTES = 8 << 20
_PARALLEL_READS = 8
_SAFETENSORS = ".safetensors"
_CLASS_NAME = re.compile(r"[A-Za-z0-9_]{1,100}")
_LENGTH_KEYS = ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "max_seq_len", "seq_length")
_CHECKED: dict[str, Callable[[Mapping[str, Any]], str | None]] = {
    **dict.fromkeys(CONFIG_FILES, problem_with_code),
    "config.json": problem_with_config,
    ADAPTER_CONFIG: problem_with_code,
}


def read_facts(store: ObjectStore, files: Sequence[ModelFile]) -> ModelFacts:
    """The facts of a version of these files. Raises Invalid, naming each file that is not acceptable."""
    if any(file.path.endswith(GGUF) for file in files):
        return read_gguf_facts(store, files)
    configs, problems = _read_configs(store, files)
    parameters, damaged = _count_parameters(store, files)
    if problems or damaged:
        raise Invalid("The model cannot be accepted.", errors=[*problems, *damaged])
    config, adapter = configs.get("config.json", {}), configs.get(ADAPTER_CONFIG)
    architectures = _architectures(config)
    return ModelFacts(
        kind=_kind(config, architectures, adapter is not None),
        model_type=config.get("model_type"),
        architectures=architectures,
        parameters=parameters,
        context_length=_context_length(config),
        has_chat_template=_has_chat_template(configs, files),
        base_model=_base_model(adapter),
        license=read_license(store, files),
    )


def _read_configs(
    store: ObjectStore, files: Sequence[ModelFile]
) -> tuple[dict[str, Mapping[str, Any]], list[FieldError]]:
    configs: dict[str, Mapping[str, Any]] = {}
    problems: list[FieldError] = []
    for index, file in enumerate(files):
        if (check := _CHECKED.get(file.path)) is None:
            continue
        try:
            configs[file.path] = _read_object(store, file)
        except ValueError as error:
            problems.append(FieldError(f"files[{index}]", f"{file.path} {error}.", "bad_config"))
            continue
        if (problem := check(configs[file.path])) is not None:
            problems.append(FieldError(f"files[{index}]", f"{file.path} {problem}.", "refused_config"))
    return configs, problems


def _read_object(store: ObjectStore, file: ModelFile) -> Mapping[str, Any]:
    """A small JSON object; ValueError saying what else it is."""
    if file.size_bytes > _MAX_CONFIG_BYTES:
        raise ValueError(f"is larger than {_MAX_CONFIG_BYTES} bytes")
    try:
        value = json.loads(store.get(PREFIX + file.sha256))
    except (ValueError, RecursionError) as error:
        raise ValueError("is not JSON") from error
    if not isinstance(value, dict):
        raise ValueError("holds no JSON object")
    return value


def _count_parameters(store: ObjectStore, files: Sequence[ModelFile]) -> tuple[int, list[FieldError]]:
    weights = [(index, file) for index, file in enumerate(files) if file.path.endswith(_SAFETENSORS)]
    total = 0
    problems = []
    with ThreadPoolExecutor(_PARALLEL_READS, thread_name_prefix="header") as pool:
        counts = pool.map(lambda entry: _parameters(store, entry[1]), weights)
        for (index, file), count in zip(weights, counts, strict=True):
            if isinstance(count, int):
                total += count
            else:
                message = f"{file.path} is no sound safetensors file: {count}."
                problems.append(FieldError(f"files[{index}]", message, "bad_safetensors"))
    return total, problems


def _parameters(store: ObjectStore, file: ModelFile) -> int | str:
    """How many elements its tensors have, or what is wrong with it."""
    key = PREFIX + file.sha256
    try:
        with store.open(key, length=LENGTH_BYTES) as stream:
            length = header_length(stream.read(), file.size_bytes)
        with store.open(key, offset=LENGTH_BYTES, length=length) as stream:
            return parse_header(stream.read(), file.size_bytes).parameters
    except BadHeader as error:
        return str(error)


def _architectures(config: Mapping[str, Any]) -> list[str]:
    names = config.get("architectures")
    if not isinstance(names, list):
        return []
    return [name for name in names if isinstance(name, str) and _CLASS_NAME.fullmatch(name)][:10]


def _kind(config: Mapping[str, Any], architectures: Sequence[str], adapter: bool) -> str:
    if adapter:
        return "adapter"
    if any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in architectures):
        return "causal_lm"
    if any(name.endswith("ForSequenceClassification") for name in architectures):
        return "classifier"
    return "encoder" if config.get("model_type") in ENCODERS else "other"


def _context_length(config: Mapping[str, Any]) -> int | None:
    for key in _LENGTH_KEYS:
        value = config.get(key)
        if type(value) is int and 0 < value < 1 << 31:
            return value
    return None


def _has_chat_template(configs: Mapping[str, Mapping[str, Any]], files: Sequence[ModelFile]) -> bool:
    if any(file.path in ("chat_template.jinja", "chat_template.json") for file in files):
        return True
    return bool(configs.get("tokenizer_config.json", {}).get("chat_template"))


def _base_model(adapter: Mapping[str, Any] | None) -> str | None:
    """The name that the adapter gives its base; a path of the machine it was trained on says nothing here."""
    name = (adapter or {}).get("base_model_name_or_path")
    if not isinstance(name, str) or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name, re.ASCII):
        return None
    return name[:300]
