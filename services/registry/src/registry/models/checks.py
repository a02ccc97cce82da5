"""What a version must be like before anything of it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from kargah.contracts.models import ModelFile
from kargah.domain.errors import FieldError, Invalid, UnsupportedMedia
from kargah.domain.model_files import GGUF, is_pickled, is_weights, problem_with_file
from kargah.domain.names import can_name_model, is_name
from registry.models.facts import ADAPTER_CONFIG


def check_name(name: str) -> None:
    """Raises Invalid unless `name` may name a model."""
    if not is_name(name):
        message = "A model is called `name` or `owner/name`, of letters, digits, dots, dashes and underscores."
        raise Invalid("The path is not acceptable.", errors=[FieldError("name", message, "bad_name")])
    if not can_name_model(name):
        message = f"A name may not end with {name.rpartition('/')[2]!r}."
        raise Invalid("The path is not acceptable.", errors=[FieldError("name", message, "reserved_name")])


def check_files(files: Sequence[ModelFile]) -> None:
    """Raises UnsupportedMedia for weights that can run code, Invalid for any other file that is no part of a model."""
    _refuse_unsafe(files)
    _refuse_clashes(files)
    paths = {file.path for file in files}
    if any(path.endswith(GGUF) for path in paths):
        return
    if not paths & {"config.json", ADAPTER_CONFIG}:
        raise _incomplete("There is no config.json (or adapter_config.json) among the files.", "no_config")
    if not any(is_weights(path) for path in paths):
        raise _incomplete("There are no .safetensors (or .gguf) weights among the files.", "no_weights")


def check_sizes(files: Sequence[ModelFile], stored: Mapping[str, int | None]) -> None:
    """Raises Invalid for files whose blob is absent or of another size."""
    problems = []
    for index, file in enumerate(files):
        size = stored[file.sha256]
        if size is None:
            problems.append(FieldError(f"files[{index}].sha256", f"The blob of {file.path} is absent.", "missing_blob"))
        elif size != file.size_bytes:
            message = f"The blob of {file.path} has {size} bytes."
            problems.append(FieldError(f"files[{index}].sizeBytes", message, "wrong_size"))
    if problems:
        raise Invalid("Blobs are missing.", hint="Send them by PUT /api/blobs/<sha256> first.", errors=problems[:100])


def _refuse_unsafe(files: Sequence[ModelFile]) -> None:
    problems = [
        (FieldError(f"files[{index}].path", f"{file.path!r} {problem}.", "unsafe_file"), is_pickled(file.path))
        for index, file in enumerate(files)
        if (problem := problem_with_file(file.path)) is not None
    ]
    if not problems:
        return
    errors = [error for error, _ in problems][:100]
    hint = "Only safetensors (or GGUF) weights and plain configuration files are accepted."
    if all(pickled for _, pickled in problems):
        raise UnsupportedMedia("Weights of this kind can run code when they are loaded.", hint=hint, errors=errors)
    raise Invalid("Some files are no part of a model.", hint=hint, errors=errors)


def _refuse_clashes(files: Sequence[ModelFile]) -> None:
    """No path twice (nor differing in case alone), and none that is another's folder."""
    seen: set[str] = set()
    folders = {
        str(parent).lower() for file in files for parent in PurePosixPath(file.path).parents if str(parent) != "."
    }
    for index, file in enumerate(files):
        path = file.path.lower()
        if path in seen or path in folders:
            message = f"{file.path!r} is there already, or is a folder of another file."
            error = FieldError(f"files[{index}].path", message, "clash")
            raise Invalid("Two files are in each other's way.", errors=[error])
        seen.add(path)


def _incomplete(message: str, code: str) -> Invalid:
    return Invalid("The model is not complete.", errors=[FieldError("files", message, code)])
