"""How much there is, for Prometheus."""

from __future__ import annotations

from prometheus_client.registry import Collector

from kargah.db.collector import plain_gauges
from kargah.db.engine import Engine
from registry.models.volume_repository import volume

_TEXTS = {
    "kargah_models": "Models.",
    "kargah_model_versions": "Versions of models.",
    "kargah_blobs": "Files of models and repositories, each content once.",
    "kargah_blob_bytes": "Their bytes.",
}


def volume_collector(engine: Engine) -> Collector:
    """The gauges above, and `kargah_registry_readable`."""
    return plain_gauges("kargah_registry_readable", _TEXTS, engine, volume)
