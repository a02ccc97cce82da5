"""How much there is, for Prometheus."""

from __future__ import annotations

from prometheus_client.registry import Collector

from dataset_svc.datasets.repository import volume
from kargah.db.collector import plain_gauges
from kargah.db.engine import Engine

_TEXTS = {
    "kargah_datasets": "Datasets.",
    "kargah_dataset_versions": "Versions of datasets.",
    "kargah_dataset_rows": "Rows of all versions, each content once.",
    "kargah_dataset_bytes": "Bytes of all rows as stored, each content once.",
}


def volume_collector(engine: Engine) -> Collector:
    """The gauges above, and `kargah_datasets_readable`."""
    return plain_gauges("kargah_datasets_readable", _TEXTS, engine, volume)
