"""What a GGUF's header tells, and that a broken one is refused wherever it breaks."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFWriter

from registry.models import gguf_header
from registry.models.gguf_header import GgufHeader, read_header
from registry.models.safetensors_header import BadHeader


@pytest.fixture
def gguf(tmp_path: Path) -> bytes:
    path = tmp_path / "m.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_license("apache-2.0")
    writer.add_token_list(["a", "ب", "c"])
    writer.add_token_scores([0.5, 1.0, 2.0])
    writer.add_chat_template("{{ messages }}")
    writer.add_tensor("token_embd.weight", np.zeros((3, 32), np.float16))
    writer.add_tensor("output_norm.weight", np.zeros(32, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


def header(data: bytes) -> GgufHeader:
    return read_header(io.BytesIO(data), len(data))


def test_settings_and_parameters_are_told(gguf: bytes) -> None:
    found = header(gguf)
    assert found.parameters == 3 * 32 + 32
    assert found.text("general.architecture") == "llama" and found.settings["llama.context_length"] == 64
    assert found.text("tokenizer.chat_template") == "{{ messages }}" and found.text("absent") is None
    assert found.settings["tokenizer.ggml.tokens"] is None


def test_a_file_that_ends_early_is_refused(gguf: bytes) -> None:
    end = gguf.index(b"output_norm.weight") + 40
    for length in range(0, end, 7):
        with pytest.raises(BadHeader):
            read_header(io.BytesIO(gguf[:length]), length)


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, b"GGML"), (4, b"\x09"), (8, b"\xff" * 8), (16, b"\xff" * 8), (24, b"\xff" * 8), (8, bytes(8))],
)
def test_numbers_that_cannot_be_are_refused(gguf: bytes, place: int, value: bytes) -> None:
    with pytest.raises(BadHeader):
        header(gguf[:place] + value + gguf[place + len(value) :])


def test_what_is_told_can_be_stored() -> None:
    found = GgufHeader({"general.license": "m\0it", "general.architecture": "a" * 3_000_000})
    assert found.text("general.license") == "mit" and len(found.text("general.architecture") or "") == 200


def test_a_list_of_countless_texts_is_refused_at_once(gguf: bytes) -> None:
    texts = struct.pack("<IQ", 8, 16 << 20)
    place = gguf.index(b"tokenizer.ggml.tokens") + len(b"tokenizer.ggml.tokens") + 4
    with pytest.raises(BadHeader, match="entries of a list"):
        header(gguf[:place] + texts + gguf[place + len(texts) :])


def test_the_lists_together_are_bounded(gguf: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf_header, "_MOST_TEXTS", 10)
    with pytest.raises(BadHeader, match="more than 10 texts"):
        header(gguf)
