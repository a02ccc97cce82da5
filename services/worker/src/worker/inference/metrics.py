"""What Prometheus is told of generating."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class InferenceMetrics:
    """Counters of tokens by kind (`prompt`, `completion`), times to the first token, and answers by how they ended."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.tokens = Counter("kargah_inference_tokens_total", "Tokens read and written", ["kind"], registry=registry)
        self.answers = Counter("kargah_inference_answers_total", "Answers", ["outcome"], registry=registry)
        self.first_token = Histogram(
            "kargah_inference_first_token_seconds",
            "From the request to its first token",
            registry=registry,
            buckets=_SECONDS,
        )
        self._loaded = Gauge("kargah_inference_models_loaded", "Models in memory", registry=registry)

    def watch_loaded(self, count: Callable[[], int]) -> None:
        """Ask `count` whenever the metrics are read."""
        self._loaded.set_function(count)
