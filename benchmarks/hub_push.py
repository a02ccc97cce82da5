"""A model pushed to the registry by the stock client, with Xet and without, beside one raw PUT of the same file.

Each client is a process of its own, which has begun when the clock starts. The bytes are those of random float32
weights, as a training leaves them: they hardly compress.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from benchmarks.raw_put import raw_put
from benchmarks.report import Row
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.testing.registry_service import RegistryService, registry_service

SIZE_MB = 500
_TENSOR = 4 << 20
_CLIENT = """
import sys, time
from huggingface_hub import HfApi
api = HfApi()
api.create_repo(sys.argv[1])
began = time.perf_counter()
api.upload_folder(repo_id=sys.argv[1], folder_path=sys.argv[2])
print(time.perf_counter() - began)
"""


def rows(size_mb: int = SIZE_MB) -> list[Row]:
    """Both modes, each beside the raw PUTs before and after it."""
    with tempfile.TemporaryDirectory(prefix="kargah-push-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with (
            EmbeddedPostgres(folder / "postgres") as postgres,
            EmbeddedObjectStore(folder / "objects") as server,
            registry_service(postgres, server, {}) as service,
        ):
            return [_measured(mode, size_mb, folder, server, service) for mode in ("xet", "lfs")]


def _measured(mode: str, size_mb: int, folder: Path, server: EmbeddedObjectStore, service: RegistryService) -> Row:
    path = _write_weights(folder / mode, size_mb)
    megabytes = path.stat().st_size / 1e6
    before = raw_put(path, server, service.store)
    pushed = _push(mode, path.parent, folder / f"{mode}-home", service)
    raw = (before + raw_put(path, server, service.store)) / 2
    path.unlink()
    ours, theirs = megabytes / pushed, megabytes / raw
    return Row(
        "push",
        f"upload_folder, {mode}",
        "MB/s",
        ours,
        "one raw PUT",
        theirs,
        ours / theirs,
        None,
        f"{megabytes:,.0f} MB",
    )


def _write_weights(folder: Path, size_mb: int) -> Path:
    folder.mkdir()
    chance = np.random.default_rng()
    tensors = {
        f"layer.{number}": chance.standard_normal(_TENSOR // 4, np.float32)
        for number in range(size_mb * 1_000_000 // _TENSOR)
    }
    save_file(tensors, folder / "model.safetensors")
    return folder / "model.safetensors"


def _push(mode: str, folder: Path, home: Path, service: RegistryService) -> float:
    """Seconds of the call, as the client's process has them."""
    environment: Mapping[str, str] = os.environ | {
        "HF_ENDPOINT": service.hub,
        "HF_HOME": str(home),
        "HF_TOKEN": "hf_any",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_XET": "0" if mode == "xet" else "1",
    }
    command = [sys.executable, "-c", _CLIENT, f"bench/{mode}", str(folder)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    return float(done.stdout.split()[-1])
