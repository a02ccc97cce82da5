"""The environment of trainers: an allow-list, so that none of the agent's secrets is in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# fmt: off
_NAMES = frozenset({
    "PATH", "HOME", "USER", "LANG", "LANGUAGE", "TZ", "TMPDIR", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV",
    "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
})
_PREFIXES = ("LC_", "CUDA_", "NVIDIA_", "PYTORCH_", "NCCL_", "GLOO_")
_NETWORK_NAMES = frozenset({
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
    "HF_ENDPOINT", "HF_TOKEN", "KARGAH_IMPORT_HOSTS", "KARGAH_IMPORT_MAX_BYTES", "KARGAH_IMPORT_PROXY",
})
# fmt: on
_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
}
# The trainer shares its cores with the rest of the platform. OpenMP threads that spin for long while they wait take
# them from the very threads they wait for: with both cores of a small machine busy, a step took five times as long.
_SHARE_CORES = {"GOMP_SPINCOUNT": "1000"}
_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def trainer_env(parent: Mapping[str, str], cache_dir: Path, threads: int) -> dict[str, str]:
    """Offline, for training. `threads` bounds the pools of the numeric libraries."""
    pools = {name: str(threads) for name in _POOLS}
    return _common(parent, cache_dir, _NAMES) | _OFFLINE | _SHARE_CORES | pools


def zygote_env(parent: Mapping[str, str], cache_dir: Path) -> dict[str, str]:
    """As for training, with one thread a pool: a thread pool does not survive a fork; children set their own.

    Asking whether a GPU is there goes through NVML: the other way makes a CUDA context, which forbids forking.
    """
    return trainer_env(parent, cache_dir, 1) | {"PYTORCH_NVML_BASED_CUDA_CHECK": "1"}


def install_env(parent: Mapping[str, str], cache_dir: Path, threads: int) -> dict[str, str]:
    """For installs and imports: the network, its proxies, the hub's token and the list of hosts are allowed."""
    common = _common(parent, cache_dir, _NAMES | _NETWORK_NAMES)
    return common | {name: str(threads) for name in _POOLS}


def _common(parent: Mapping[str, str], cache_dir: Path, names: frozenset[str]) -> dict[str, str]:
    kept = {name: value for name, value in parent.items() if name in names or name.startswith(_PREFIXES)}
    return kept | {
        "HF_HOME": str(cache_dir / "hf"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
        "PYTHONHASHSEED": "0",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # cuBLAS can then be asked for deterministic kernels
    }
