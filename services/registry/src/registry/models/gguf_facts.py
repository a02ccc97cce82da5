"""What GGUF files tell about a version of them."""

from __future__ import annotations

from collections.abc import Sequence

from kargah.contracts.models import ModelFacts, ModelFile
from kargah.domain.errors import FieldError, Invalid
from kargah.domain.model_files import GGUF
from kargah.ports.object_store import ObjectStore
from registry.blobs.service import PREFIX
from registry.models.card import read_license
from registry.models.gguf_header import MAX_HEADER_BYTES, GgufHeader, read_header
from registry.models.safetensors_header import BadHeader


def read_gguf_facts(store: ObjectStore, files: Sequence[ModelFile]) -> ModelFacts:
    """`kind` is gguf; the facts are the first file's, where there are several (in other precisions).

    Raises Invalid, naming each file that is none, and weights of another kind beside it.
    """
    headers, problems = [], []
    for index, file in enumerate(files):
        if not file.path.endswith(GGUF):
            continue
        found = _header(store, file)
        if isinstance(found, GgufHeader):
            headers.append(found)
        else:
            message = f"{file.path} is no sound GGUF file: {found}."
            problems.append(FieldError(f"files[{index}]", message, "bad_gguf"))
    problems += [
        FieldError(f"files[{index}]", f"{file.path} does not belong beside a GGUF file.", "mixed_weights")
        for index, file in enumerate(files)
        if file.path.endswith(".safetensors")
    ]
    if problems:
        raise Invalid("The model cannot be accepted.", errors=problems)
    return _facts(headers[0], read_license(store, files))


def _header(store: ObjectStore, file: ModelFile) -> GgufHeader | str:
    try:
        with store.open(PREFIX + file.sha256, length=min(file.size_bytes, MAX_HEADER_BYTES)) as stream:
            return read_header(stream, file.size_bytes)
    except BadHeader as error:
        return str(error)


def _facts(header: GgufHeader, license_of_card: str | None) -> ModelFacts:
    architecture = header.text("general.architecture")
    context = header.settings.get(f"{architecture}.context_length")
    return ModelFacts(
        kind="gguf",
        model_type=architecture,
        parameters=header.parameters,
        context_length=context if type(context) is int and 0 < context < 1 << 31 else None,
        has_chat_template=bool(header.text("tokenizer.chat_template")),
        license=license_of_card or header.text("general.license"),
    )
