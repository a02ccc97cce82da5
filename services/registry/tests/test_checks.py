"""Names, paths and kinds of files: what a version may be made of."""

from __future__ import annotations

import pytest

from kargah.contracts.models import ModelFile
from kargah.domain.errors import DomainError, Invalid, UnsupportedMedia
from registry.models.checks import check_files, check_name, check_sizes

SHA = "a" * 64
GOOD = ["config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json", "README.md", "LICENSE"]


def files(*paths: str) -> list[ModelFile]:
    return [ModelFile(path=path, size_bytes=1, sha256=SHA) for path in paths]


def test_a_plain_model_is_accepted() -> None:
    check_files(files(*GOOD))
    check_files(files("adapter_config.json", "adapter_model.safetensors"))


@pytest.mark.parametrize("path", ["pytorch_model.bin", "model.PT", "x.pkl", "a/b.ckpt", "w.npz", "model.h5"])
def test_pickles_and_their_like_are_415(path: str) -> None:
    with pytest.raises(UnsupportedMedia) as caught:
        check_files(files(*GOOD, path))
    assert caught.value.errors[0].field == f"files[{len(GOOD)}].path"
    assert caught.value.hint is not None and "safetensors" in caught.value.hint


@pytest.mark.parametrize(
    "path",
    [
        "../config.json",
        "/etc/passwd",
        "a/../../b.json",
        "a//b.json",
        "./a.json",
        "a\\b.json",
        "C:\\a.json",
        "a\u202egnp.json",
        "a\n.json",
        "con.json",
        "a. /b.json",
        "x" * 300 + ".json",
        "modeling.py",
        "run.sh",
        "weights.onnx",
        "noextension",
    ],
)
def test_path_tricks_and_other_kinds_are_422(path: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_files(files(*GOOD, path))
    assert [error.field for error in caught.value.errors] == [f"files[{len(GOOD)}].path"]


@pytest.mark.parametrize("clash", ["config.json", "CONFIG.json", "1_Pooling"])
def test_two_files_in_one_place_are_refused(clash: str) -> None:
    extra = clash if "." in clash else f"{clash}/LICENSE/x.json"
    with pytest.raises(Invalid):
        check_files(files(*GOOD, extra, "1_Pooling/LICENSE"))


def test_a_model_needs_config_and_weights() -> None:
    for paths, code in ((["model.safetensors"], "no_config"), (["config.json"], "no_weights")):
        with pytest.raises(Invalid) as caught:
            check_files(files(*paths))
        assert caught.value.errors[0].code == code


def test_absent_and_short_blobs_are_named() -> None:
    two = files("config.json", "model.safetensors")
    with pytest.raises(Invalid) as caught:
        check_sizes(two, {SHA: None})
    assert [error.code for error in caught.value.errors] == ["missing_blob", "missing_blob"]
    with pytest.raises(Invalid) as caught:
        check_sizes(two, {SHA: 2})
    assert caught.value.errors[0].field == "files[0].sizeBytes"
    check_sizes(two, {SHA: 1})


@pytest.mark.parametrize("name", ["a", "smollm2", "owner/name", "A.b-c_d/9", "files"])
def test_names(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", "../x", "a/b/c", "a b", "سلام", "a..b", "owner/files", "owner/location", "a/"])
def test_bad_names(name: str) -> None:
    with pytest.raises(DomainError):
        check_name(name)
