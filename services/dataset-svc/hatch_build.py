"""Compiles the kernels of the checks, where there is a C compiler; without them the service does the same by numpy.

As a hook of hatchling it puts them into the wheel; as a program, which the Makefile runs, beside their source.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path(__file__).parent / "src" / "dataset_svc" / "kernels"
SOURCE, LIBRARY = FOLDER / "kernels.c", FOLDER / "kernels.so"
_OPTIONS = ("-O3", "-std=gnu11", "-Wall", "-Wextra", "-shared", "-fPIC", "-fvisibility=hidden")
_ABSENT = "no C compiler (gcc or clang; CC names another): large files will be checked at a third of the speed"


def compile_kernels(library: Path = LIBRARY, *options: str) -> str | None:
    """What kept them from being compiled; None where they were. A library from before stays until another is whole."""
    compiler = shlex.split(os.environ.get("CC", "")) or next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if not compiler:
        return _ABSENT
    command = [compiler] if isinstance(compiler, str) else compiler
    begun = library.with_suffix(f".{os.getpid()}")
    try:
        made = subprocess.run(
            [*command, *_OPTIONS, *options, "-o", str(begun), str(SOURCE)], capture_output=True, text=True, check=False
        )
    except OSError as error:
        return f"{command[0]} cannot be run: {error}"
    if made.returncode:
        begun.unlink(missing_ok=True)
        return f"{command[0]} refused {SOURCE.name}: {made.stderr.strip()[-500:]}"
    begun.replace(library)
    return None


class CustomBuildHook(BuildHookInterface):
    """Puts the library into a wheel, which is then one for this platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the wheel is made."""
        if version == "editable":
            return  # `make` compiles in place
        problem = compile_kernels()
        if problem:
            sys.stderr.write(f"dataset-svc without kernels: {problem}\n")
            return
        build_data["artifacts"].append(str(LIBRARY.relative_to(Path(self.root))))
        build_data["pure_python"], build_data["infer_tag"] = False, True


if __name__ == "__main__":
    found = compile_kernels()
    if found:
        sys.stderr.write(f"kernels of the dataset checks: {found}\n")
