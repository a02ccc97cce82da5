"""Queue: who waits, for how long, and what goes wrong on the way."""

from __future__ import annotations

from panels import dashboard, graph, number, text_variable

_QUANTILE = "histogram_quantile(%s, sum by (le) (rate(%s_bucket[$__range])))"
_RINGS = "sum by (result) (rate(kargah_bell_rings_total[$__rate_interval]))"

QUEUE = dashboard(
    "kargah-queue",
    "Kargah: queue",
    [
        [
            number("Waiting", "sum(kargah_queue_depth)"),
            number("Longest wait", "max(kargah_queue_oldest_wait_seconds)", "s", bad=1800),
            number("Queue readable", "min(kargah_queue_readable)", text="1 while the database answers."),
            number("Leases lost in a day", "sum(increase(kargah_leases_expired_total[1d])) or vector(0)", bad=10),
        ],
        [
            graph("Waiting jobs", {"{{kind}}": "max by (kind) (kargah_queue_depth)"}),
            graph("Oldest wait", {"{{kind}}": "max by (kind) (kargah_queue_oldest_wait_seconds)"}, "s"),
        ],
        [
            graph(
                "Attempts ended",
                {"{{outcome}}": "sum by (outcome) (increase(kargah_attempts_total[$__rate_interval]))"},
                text="drained: given back by a worker that stops. crashed, failed, lost: counted against the job.",
            ),
            graph("Steps done again", {"{{job_id}}": "max by (job_id) (kargah_job_steps_lost)"}),
        ],
        [
            graph("Rings of the bell", {"{{result}}": _RINGS}),
            graph(
                "Time to a trainer process",
                {
                    "half": _QUANTILE % ("0.5", "kargah_trainer_start_seconds"),
                    "95 %": _QUANTILE % ("0.95", "kargah_trainer_start_seconds"),
                },
                "s",
            ),
        ],
    ],
    text_variable("kargah", "Kargah's address", "http://127.0.0.1:8080"),
)
