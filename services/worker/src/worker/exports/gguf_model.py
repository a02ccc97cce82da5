"""A Llama in memory becomes a GGUF file: the inverse of `worker.installs.gguf_llama`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from gguf import GGML_QUANT_VERSION, GGMLQuantizationType, GGUFWriter, LlamaFileType
from gguf.quants import quant_shape_to_byte_shape, quantize

from worker.exports.gguf_vocabulary import Vocabulary, vocabulary_of
from worker.installs.gguf_llama import LAYER_NAMES, TOP_NAMES
from worker.trainer.errors import TrainingError

ARCHITECTURES = ("llama",)
OnTensor = Callable[[int, int], None]
Weights = npt.NDArray[np.float32]
_BLOCK = 32
_FILE_TYPES = {"f16": LlamaFileType.MOSTLY_F16, "q8_0": LlamaFileType.MOSTLY_Q8_0}
_TOP = {name: short for short, name in TOP_NAMES.items()}
_LAYER = {name: short for short, name in LAYER_NAMES.items()}


def write_gguf(
    model: Any, tokenizer: Any, path: Path, quantization: str, facts: Mapping[str, str], on: OnTensor
) -> None:
    """`facts`: name and licence. `on(done, total)` follows the tensors, which are converted one at a time.

    Raises TrainingError for what is not written to GGUF yet, naming what is.
    """
    config = model.config
    _check(config)
    tensors = dict(_tensors(model))
    vocabulary = vocabulary_of(tokenizer, config.vocab_size)
    writer = GGUFWriter(path, "llama")
    try:
        _add_settings(writer, config, quantization, facts)
        _add_tokenizer(writer, tokenizer, vocabulary)
        kinds = {name: _kind(tensor.shape, quantization) for name, tensor in tensors.items()}
        for name, tensor in tensors.items():
            _announce(writer, name, tuple(tensor.shape), kinds[name])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for done, (name, tensor) in enumerate(tensors.items(), start=1):
            values = _permuted(name, tensor.detach().float().numpy(), config)
            writer.write_tensor_data(quantize(np.ascontiguousarray(values), kinds[name]))
            on(done, len(tensors))
    finally:
        writer.close()


def _check(config: Any) -> None:
    rope = getattr(config, "rope_parameters", None) or {}
    problems = {
        f"it is a {config.model_type} model": config.model_type not in ARCHITECTURES,
        f"its activation is {getattr(config, 'hidden_act', None)}": getattr(config, "hidden_act", "silu") != "silu",
        f"its positions are scaled ({rope.get('rope_type')})": rope.get("rope_type", "default") != "default",
    }
    if found := [problem for problem, there in problems.items() if there]:
        message = f"The model is not written to GGUF: {'; '.join(found)}."
        hint = f"These are: {', '.join(ARCHITECTURES)}, with silu and plain rotary positions. Export it as safetensors."
        raise TrainingError("unsupported_gguf", message, hint)


def _tensors(model: Any) -> Iterator[tuple[str, Any]]:
    """By GGUF's names; an output projection that is the embedding is written once."""
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and model.config.tie_word_embeddings:
            continue
        yield _name(name), tensor


def _name(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    layer = re.fullmatch(r"model\.layers\.(\d+)\.(.+)", stem)
    if suffix == "weight" and layer and layer[2] in _LAYER:
        return f"blk.{layer[1]}.{_LAYER[layer[2]]}{dot}{suffix}"
    if suffix == "weight" and stem in _TOP:
        return f"{_TOP[stem]}{dot}{suffix}"
    raise TrainingError("unsupported_gguf", f"The tensor {name!r} has no place in a GGUF of a Llama.")


def _kind(shape: tuple[int, ...], quantization: str) -> GGMLQuantizationType:
    """Norms stay exact; rows that are no whole number of blocks are not quantized."""
    if len(shape) == 1:
        return GGMLQuantizationType.F32
    blocks = shape[-1] % _BLOCK == 0
    return GGMLQuantizationType.Q8_0 if quantization == "q8_0" and blocks else GGMLQuantizationType.F16


def _announce(writer: GGUFWriter, name: str, shape: tuple[int, ...], kind: GGMLQuantizationType) -> None:
    count = int(np.prod(shape))
    if kind == GGMLQuantizationType.Q8_0:
        size = quant_shape_to_byte_shape(shape, kind)
        writer.add_tensor_info(name, size, np.dtype(np.uint8), int(np.prod(size)), raw_dtype=kind)
    else:
        dtype = np.dtype(np.float32 if kind == GGMLQuantizationType.F32 else np.float16)
        writer.add_tensor_info(name, shape, dtype, count * dtype.itemsize)


def _permuted(name: str, values: Weights, config: Any) -> Weights:
    """GGUF interleaves the two halves of each head's rotary dimensions of q and k."""
    if name.endswith(".attn_q.weight"):
        heads = config.num_attention_heads
    elif name.endswith(".attn_k.weight"):
        heads = config.num_key_value_heads
    else:
        return values
    rows, columns = values.shape
    return values.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _add_settings(writer: GGUFWriter, config: Any, quantization: str, facts: Mapping[str, str]) -> None:
    rope = getattr(config, "rope_parameters", None) or {}
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_name(facts["name"])
    if facts.get("license"):
        writer.add_license(facts["license"])
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_rope_freq_base(float(rope.get("rope_theta") or getattr(config, "rope_theta", None) or 10000.0))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_file_type(_FILE_TYPES[quantization])
    writer.add_quantization_version(GGML_QUANT_VERSION)


def _add_tokenizer(writer: GGUFWriter, tokenizer: Any, vocabulary: Vocabulary) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(vocabulary.pre)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    writer.add_token_merges(vocabulary.merges)
    for index, add in (
        (tokenizer.bos_token_id, writer.add_bos_token_id),
        (tokenizer.eos_token_id, writer.add_eos_token_id),
        (tokenizer.unk_token_id, writer.add_unk_token_id),
        (tokenizer.pad_token_id, writer.add_pad_token_id),
    ):
        if index is not None:
            add(index)
    first = tokenizer("a")["input_ids"][:1]
    writer.add_add_bos_token(tokenizer.bos_token_id is not None and first == [tokenizer.bos_token_id])
    if isinstance(tokenizer.chat_template, str):
        writer.add_chat_template(tokenizer.chat_template)
