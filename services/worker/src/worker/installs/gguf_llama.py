"""A Llama-architecture GGUF file becomes a transformers folder: config, tokenizer, bfloat16 safetensors.

Not done through transformers: a GGUF costs it three passes over the file, one each for config, tokenizer
and weights, which is four times as slow.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from safetensors.torch import save_file

from worker.installs.errors import InstallFailed
from worker.installs.gguf_tokenizer import write_tokenizer

Weights = npt.NDArray[np.float32]
OnTensor = Callable[[int, int], None]
TOP_NAMES = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def convert(source: Path, target: Path, on_tensor: OnTensor) -> None:
    """Write a model folder at `target` (which exists). `on_tensor(done, total)` follows the weights.

    Raises InstallFailed for another architecture or tokenizer, or a tensor that it does not know.
    """
    reader = GGUFReader(str(source))
    facts = {name: field.contents() for name, field in reader.fields.items()}
    if facts.get("general.architecture") != "llama":
        raise InstallFailed("unsupported_gguf", f"{source.name} is no llama but {facts.get('general.architecture')}")
    config = _config(facts, tied=all(tensor.name != "output.weight" for tensor in reader.tensors))
    write_tokenizer(facts, target)
    _write_json(target / "config.json", config)
    _write_json(target / "generation_config.json", _generation(config))
    _write_weights(reader, config, target / "model.safetensors", on_tensor)


def _config(facts: Mapping[str, Any], *, tied: bool) -> dict[str, Any]:
    heads = facts["llama.attention.head_count"]
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(facts["tokenizer.ggml.tokens"]),
        "hidden_size": facts["llama.embedding_length"],
        "intermediate_size": facts["llama.feed_forward_length"],
        "num_hidden_layers": facts["llama.block_count"],
        "num_attention_heads": heads,
        "num_key_value_heads": facts.get("llama.attention.head_count_kv", heads),
        "head_dim": facts["llama.embedding_length"] // heads,
        "max_position_embeddings": facts["llama.context_length"],
        "rms_norm_eps": float(f"{facts['llama.attention.layer_norm_rms_epsilon']:.6g}"),
        "rope_theta": facts.get("llama.rope.freq_base", 10000.0),
        "hidden_act": "silu",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "mlp_bias": False,
        "initializer_range": 0.02,
        "tie_word_embeddings": tied,
        "use_cache": True,
        "bos_token_id": facts.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": facts["tokenizer.ggml.eos_token_id"],
        "pad_token_id": facts.get("tokenizer.ggml.padding_token_id"),
        "dtype": "bfloat16",
    }


def _generation(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: config[name] for name in ("bos_token_id", "eos_token_id", "pad_token_id")}


def _write_weights(reader: GGUFReader, config: Mapping[str, Any], target: Path, on_tensor: OnTensor) -> None:
    tensors: dict[str, torch.Tensor] = {}
    for done, tensor in enumerate(reader.tensors, start=1):
        values = np.asarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        values = np.array(_unpermuted(tensor.name, values, config))
        tensors[_name(tensor.name)] = torch.from_numpy(values).to(torch.bfloat16)
        on_tensor(done, len(reader.tensors))
    save_file(tensors, str(target), metadata={"format": "pt"})


def _name(name: str) -> str:
    stem = name.removesuffix(".weight")
    if stem in TOP_NAMES:
        return f"{TOP_NAMES[stem]}.weight"
    layer = re.fullmatch(r"blk\.(\d+)\.(\w+)", stem)
    if layer is None or layer[2] not in LAYER_NAMES:
        raise InstallFailed("unsupported_gguf", f"the tensor {name!r} belongs to no Llama model")
    return f"model.layers.{layer[1]}.{LAYER_NAMES[layer[2]]}.weight"


def _unpermuted(name: str, values: Weights, config: Mapping[str, Any]) -> Weights:
    """GGUF interleaves the two halves of each head's rotary dimensions of q and k; transformers keeps them apart."""
    if name.endswith(".attn_q.weight"):
        heads = config["num_attention_heads"]
    elif name.endswith(".attn_k.weight"):
        heads = config["num_key_value_heads"]
    else:
        return values
    rows, columns = values.shape
    return values.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
