"""The environment that the embedded services inherit: their owner's own, minus what belongs to a stack."""

from __future__ import annotations

import os


def inherited_environment() -> dict[str, str]:
    """The caller's environment (proxy, certificates, Hub token...) without `KARGAH_*`: those are set per service."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KARGAH_")}
    return inherited | {"PYTHONUNBUFFERED": "1", "TOKENIZERS_PARALLELISM": "false"}
