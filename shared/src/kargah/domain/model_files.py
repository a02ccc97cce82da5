"""Which files and settings a model may have: data only, nothing that can run code when it is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from kargah.domain.file_paths import problem_with_path

_PICKLED = frozenset(
    {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz", ".h5", ".keras", ".nemo"}
)
_ACCEPTED = frozenset(
    {
        ".safetensors",
        ".gguf",
        ".json",
        ".jsonl",
        ".txt",
        ".model",
        ".md",
        ".jinja",
        ".csv",
        ".tiktoken",
        ".yaml",
        ".yml",
        ".svg",
        ".png",
        ".jpg",
    }
)
_ACCEPTED_NAMES = frozenset({"LICENSE", "NOTICE", "COPYING", ".gitattributes"})

GGUF = ".gguf"
"""A model in one file, with its tokenizer: for other tools, not for training."""

CONFIG_FILES = frozenset({"config.json", "tokenizer_config.json", "processor_config.json"})
"""Whose `auto_map` would make transformers import code from the folder."""

_DECODERS = """
arcee bloom codegen cohere cohere2 dbrx deepseek_v2 deepseek_v3 ernie4_5 exaone4 falcon falcon_h1 gemma gemma2
gemma3_text glm glm4 gpt2 gpt_bigcode gpt_neo gpt_neox gpt_oss gptj granite granitemoe helium jamba lfm2 llama
mamba mamba2 ministral mistral mixtral mpt nemotron olmo olmo2 olmo3 opt persimmon phi phi3 phimoe qwen2 qwen2_moe
qwen3 qwen3_moe recurrent_gemma seed_oss smollm3 stablelm starcoder2 xglm
"""
_ENCODERS = """
albert bert big_bird camembert canine convbert deberta deberta-v2 distilbert electra ernie esm flaubert fnet funnel
ibert layoutlm longformer luke mobilebert modernbert mpnet nystromformer rembert roberta roberta-prelayernorm
roformer squeezebert xlm xlm-roberta xlm-roberta-xl xmod yoso
"""
_SEQ2SEQ = "bart blenderbot fsmt led m2m_100 marian mbart mt5 pegasus prophetnet switch_transformers t5 umt5"
_VOICE = "hubert speecht5 vits wav2vec2 wav2vec2-bert whisper"

DECODERS = frozenset(_DECODERS.split())
ENCODERS = frozenset(_ENCODERS.split())
MODEL_TYPES = DECODERS | ENCODERS | frozenset(_SEQ2SEQ.split()) | frozenset(_VOICE.split())
"""What may stand in `model_type`: architectures that ship inside transformers."""


def problem_with_file(path: str) -> str | None:
    """Why a file of this name is no part of a model here, or None. Paths with tricks are refused first."""
    if (problem := problem_with_path(path)) is not None:
        return problem
    name = PurePosixPath(path)
    if is_pickled(path):
        return "is in a format that can run code when it is loaded (pickle and its like)"
    if name.suffix.lower() in _ACCEPTED or name.name in _ACCEPTED_NAMES or name.stem in _ACCEPTED_NAMES:
        return None
    return f"is of a kind that is not accepted ({name.suffix or 'no suffix'})"


def problem_with_config(config: Mapping[str, Any]) -> str | None:
    """Why a model with this `config.json` may not be loaded, or None."""
    if (problem := problem_with_code(config)) is not None:
        return problem
    model_type = config.get("model_type")
    if not isinstance(model_type, str):
        return "names no `model_type`"
    if model_type not in MODEL_TYPES:
        return f"has the model_type {model_type[:60]!r}, which is not on the list of known architectures"
    return None


def problem_with_code(config: Mapping[str, Any]) -> str | None:
    """Why a configuration would make a library import foreign code, or None."""
    if any(part.get("auto_map") for part in _parts(config)):
        return "has an `auto_map`: the model needs code of its own to be loaded"
    mapping = config.get("auto_mapping")
    library = mapping.get("parent_library") if isinstance(mapping, Mapping) else mapping
    if library is not None and not str(library).startswith("transformers."):
        return "has an `auto_mapping` to a library other than transformers"
    return None


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in a JSON document, itself included: composed models keep a configuration for each part."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            yield item
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


def is_pickled(path: str) -> bool:
    """Whether the file's format can run code when it is loaded."""
    return PurePosixPath(path).suffix.lower() in _PICKLED


def is_weights(path: str) -> bool:
    """Whether the file holds tensors."""
    return path.endswith((".safetensors", GGUF))
