"""That transformers' own index of its models is made sooner, and is the same."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from transformers.utils import import_utils

from worker import model_index

MODELS = Path(import_utils.__file__).parents[1] / "models"
EXPORTS, FOLDER = import_utils.fetch__all__, import_utils.create_import_structure_from_path


def test_every_process_of_the_worker_reads_less() -> None:
    assert EXPORTS.__module__ == FOLDER.__module__ == import_utils.__name__
    assert EXPORTS.__code__.co_filename == FOLDER.__code__.co_filename == model_index.__file__


@pytest.mark.parametrize("model", ["auto", "bert", "gpt2", "llama", "llava", "qwen2"])
def test_what_is_read_is_the_same(model: str) -> None:
    for file in sorted((MODELS / model).glob("*.py")):
        content = file.read_text(encoding="utf-8")
        assert EXPORTS(content) == EXPORTS.__wrapped__(content)
    assert FOLDER(str(MODELS / model)) == FOLDER.__wrapped__(MODELS / model)


def test_a_folder_is_read_once_however_it_is_named() -> None:
    folder = MODELS / "llama"
    assert FOLDER(folder) is FOLDER(str(folder)) is FOLDER(str(folder / "__init__.py"))


@pytest.mark.parametrize(
    "content", ["", "x = 1", '__all__ = ["a", "b"]', 'x = "__all__"\n\n__all__ = [\n    "a",\n]\n']
)
def test_where_the_exports_stand_does_not_matter(content: str) -> None:
    assert EXPORTS(content) == EXPORTS.__wrapped__(content)


def test_it_is_installed_once() -> None:
    before = list(sys.meta_path)
    model_index.install()
    assert sys.meta_path == before
