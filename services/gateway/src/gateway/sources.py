"""`GET /api/sources/installed`: what fills the dropdowns."""

from __future__ import annotations

from gateway.jobs.resolve import Installed
from kargah.contracts.models import InstalledSource, InstalledSources
from kargah.web.api import Api


def add_source_routes(api: Api, installed: Installed) -> None:
    @api.get("/api/sources/installed", returns=InstalledSources, tags=["models", "datasets"])
    def list_installed_sources() -> InstalledSources:
        """The models and datasets that a job can name."""
        return InstalledSources(models=_models(installed), datasets=_datasets(installed))


def _models(installed: Installed) -> list[InstalledSource]:
    return [
        InstalledSource(
            name=model.name,
            path=f"models/{model.name}",
            kind=model.latest.facts.kind,
            size_bytes=model.latest.size_bytes,
        )
        for model in installed.models()
    ]


def _datasets(installed: Installed) -> list[InstalledSource]:
    return [
        InstalledSource(
            name=dataset.name,
            path=f"datasets/text/{dataset.name}",
            kind=dataset.latest.format,
            size_bytes=dataset.latest.stats.size_bytes,
            rows=dataset.latest.stats.rows,
        )
        for dataset in installed.datasets()
    ]
