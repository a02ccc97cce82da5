"""Training job: one job's curves, out of Postgres, so that old jobs can be looked at as well as running ones."""

from __future__ import annotations

from panels import POSTGRES, dashboard, log, series, steps, table, text_variable, variable

_JOBS = (
    "SELECT id AS __value, name || ' (' || status || ')' AS __text FROM gateway.jobs WHERE kind = 'train'"
    " ORDER BY created_at DESC LIMIT 200"
)
_OF_JOB = "job_id = '${job}'"


def _values(*names: str) -> str:
    listed = ", ".join(f"'{name}'" for name in names)
    where = f"{_OF_JOB} AND name IN ({listed})"
    return f"SELECT at AS time, name AS metric, value FROM gateway.metrics WHERE {where} ORDER BY at"


_BY_STEP = (
    "SELECT step, max(value) FILTER (WHERE name = 'loss') AS loss, max(value) FILTER (WHERE name = 'eval_loss') AS"
    f" eval_loss FROM gateway.metrics WHERE {_OF_JOB} AND name IN ('loss', 'eval_loss') GROUP BY step ORDER BY step"
)
_FACTS = (
    "SELECT name, status, config->>'baseModel' AS model, config->>'dataset' AS dataset, generation AS attempts,"
    " round((progress->>'percent')::numeric, 1) AS percent, created_at, finished_at FROM gateway.jobs"
    " WHERE id = '${job}'"
)
_ATTEMPTS = (
    "SELECT generation, worker, started_at, ended_at, outcome, resumed_step,"
    f" coalesce(jsonb_array_length(superseded), 0) AS steps_lost FROM gateway.attempts WHERE {_OF_JOB}"
    " ORDER BY generation"
)
_CHECKPOINTS = (
    f"SELECT step, reason, size_bytes, pinned, created_at FROM gateway.checkpoints WHERE {_OF_JOB} ORDER BY step DESC"
)
_LOG = f"SELECT at AS time, level, message FROM gateway.logs WHERE {_OF_JOB} ORDER BY number DESC LIMIT 1000"

TRAINING = dashboard(
    "kargah-training",
    "Kargah: training job",
    [
        [table("Job", _FACTS)],
        [
            series("Loss", _values("loss", "eval_loss")),
            steps("Loss by step", _BY_STEP),
        ],
        [
            series("Learning rate", _values("learning_rate"), "sci"),
            series("Gradient norm", _values("grad_norm"), log=True, text="Before clipping."),
        ],
        [
            series("Speed", _values("tokens_per_second"), text="Tokens a second."),
            series("Memory", _values("memory_bytes"), "bytes"),
        ],
        [
            series("Accuracy", _values("accuracy", "eval_accuracy"), "percentunit"),
            table("Attempts", _ATTEMPTS, text="Each time a worker took the job, and how that ended."),
        ],
        [table("Checkpoints", _CHECKPOINTS), log("Log", _LOG)],
    ],
    variable("job", "Job", POSTGRES, _JOBS),
    text_variable("kargah", "Kargah's address", "http://127.0.0.1:8080"),
    page="/jobs/${job}",
)
