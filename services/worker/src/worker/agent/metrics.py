"""What the agent tells Prometheus. Gauges of a job exist only while it runs here."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from kargah.contracts.runs import MetricsMessage, ProgressMessage, TrainerMessage

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_JOB = "job_id"  # `job` is Prometheus's own label
_FROM_METRICS = frozenset({"loss", "learning_rate", "tokens_per_second", "grad_norm", "memory_bytes"})


class AgentMetrics:
    """Counts into `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, [_JOB], registry=registry)

        self._of_job = {
            "loss": gauge("kargah_job_loss", "Last training loss"),
            "learning_rate": gauge("kargah_job_learning_rate", "Last learning rate"),
            "tokens_per_second": gauge("kargah_job_tokens_per_second", "Training speed"),
            "grad_norm": gauge("kargah_job_gradient_norm", "Length of the last gradient, before clipping"),
            "memory_bytes": gauge("kargah_job_memory_bytes", "Most memory that the training held on its device"),
            "progress": gauge("kargah_job_progress_percent", "How far the job is"),
        }
        self._attempts = Counter("kargah_attempts_total", "Attempts ended", ["outcome"], registry=registry)
        self._starts = Histogram(
            "kargah_trainer_start_seconds", "Time to a trainer process", ["way"], registry=registry, buckets=_SECONDS
        )
        self._checkpoint_seconds = Histogram(
            "kargah_checkpoint_seconds", "Time to store a checkpoint", registry=registry, buckets=_SECONDS
        )
        self._checkpoint_bytes = Counter("kargah_checkpoint_bytes", "Bytes of checkpoints stored", registry=registry)
        self._busy = Gauge("kargah_worker_busy", "1 while a job runs here", registry=registry)

    def observe(self, job_id: str, message: TrainerMessage) -> None:
        """Follow a trainer's message."""
        if isinstance(message, ProgressMessage):
            self._of_job["progress"].labels(job_id).set(message.percent)
        elif isinstance(message, MetricsMessage):
            for name in _FROM_METRICS & message.values.keys():
                self._of_job[name].labels(job_id).set(message.values[name])

    def attempt_began(self) -> None:
        self._busy.set(1)

    def attempt_ended(self, job_id: str, outcome: str) -> None:
        """Also forgets the job's gauges: old jobs would pile up in Prometheus."""
        self._busy.set(0)
        self._attempts.labels(outcome).inc()
        for gauge in self._of_job.values():
            gauge.remove_by_labels({_JOB: job_id})

    def trainer_started(self, way: str, seconds: float) -> None:
        """`way`: `forked` or `cold`."""
        self._starts.labels(way).observe(seconds)

    def checkpoint_stored(self, seconds: float, size_bytes: int) -> None:
        self._checkpoint_seconds.observe(seconds)
        self._checkpoint_bytes.inc(size_bytes)
