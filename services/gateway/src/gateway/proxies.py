"""What is passed on to which service."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from gateway.config import GatewaySettings
from gateway.datasets_in_use import DatasetsInUse
from gateway.models_in_use import ModelsInUse
from gateway.proxy import Proxy, endpoint_of
from kargah.access.roles import Permission

_DATASETS, _REGISTRY, _INFERENCE = "dataset service", "registry", "inference service"
_KEPT = ("/api/storage/models", "/api/storage/models/<path:rest>")
_MODELS = ("/api/models", "/api/models/<path:rest>", "/api/blobs/<path:rest>", "/api/hub/<path:rest>", *_KEPT)
_ROWS = ("/api/datasets", "/api/datasets/<path:rest>", "/api/storage/datasets", "/api/storage/datasets/<path:rest>")
_HUB = "/hub/<path:rest>"
# The registry gave these addresses out, signed, and the Hub's clients send no key of ours to them.
_SIGNED = ("/hub/api/uploads/<path:rest>", "/hub/xet/<path:rest>")
_TALK = ("/v1/models", "/v1/models/<path:rest>", "/v1/chat/completions")
_TOKENS = "/api/datasets/<path:rest>/tokens"

# Who may not even read gets no further than the gateway; what else a route needs, the service behind decides.
PROXIED: Mapping[str, Permission] = {
    **{endpoint_of(_DATASETS, rule): Permission.READ for rule in _ROWS},
    **{endpoint_of(_REGISTRY, rule): Permission.READ for rule in (*_MODELS, _HUB)},
    **{endpoint_of(_REGISTRY, rule): Permission.SIGNED for rule in _SIGNED},
    **{endpoint_of(_INFERENCE, rule): Permission.READ for rule in (*_TALK, _TOKENS)},
}


def add_proxies(app: Flask, settings: GatewaySettings, models: ModelsInUse, rows: DatasetsInUse) -> list[Proxy]:
    """Forward everything that the gateway does not answer itself; what to close at the end."""
    secret = settings.service_secret
    datasets = Proxy(_DATASETS, settings.datasets_url, rows.judge, secret=secret)
    datasets.add(app, *_ROWS)
    registry = Proxy(_REGISTRY, settings.registry_url, models.judge, secret=secret)
    registry.add(app, *_MODELS, _HUB, *_SIGNED)
    inference = Proxy(_INFERENCE, settings.inference_url, secret=secret)
    inference.add(app, *_TALK)
    # Tokenizers live there; every other method of such a path is a dataset's of that name.
    inference.add(app, _TOKENS, methods=["POST"])
    return [datasets, registry, inference]
