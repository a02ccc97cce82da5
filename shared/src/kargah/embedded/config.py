"""The environment that the embedded services inherit: their owner's own, minus what belongs to a stack."""

from __future__ import annotations

import os

_HANDED_ON = ("KARGAH_IMPORT_", "KARGAH_LOG_", "KARGAH_MIRROR", "KARGAH_TRACES_", "KARGAH_UPSTREAM_")


def inherited_environment() -> dict[str, str]:
    """The caller's environment (proxy, certificates, Hub token...) without `KARGAH_*`: those are set per service, but
    for where datasets may be imported from, which other hub is mirrored, and where logs and traces go."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("KARGAH_") or name.startswith(_HANDED_ON)
    }
    return inherited | {"PYTHONUNBUFFERED": "1", "TOKENIZERS_PARALLELISM": "false"}
