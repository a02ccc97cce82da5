"""Fleet: who works, on what, how fast."""

from __future__ import annotations

from panels import dashboard, graph, number, text_variable

# A worker and the inference service of one machine tell of the same devices.
_DEVICE = "(name, uuid)"
_GPUS = "count(count by (uuid) (kargah_gpu_memory_bytes)) or vector(0)"
_TRAINERS = 'max by (state) (kargah_workers{kind="train"})'

FLEET = dashboard(
    "kargah-fleet",
    "Kargah: fleet",
    [
        [
            number("Jobs that run", 'sum(kargah_jobs{status=~"preparing|training|evaluating"})'),
            number("Jobs that wait", "sum(kargah_queue_depth)"),
            number("Workers that train", 'max(kargah_workers{kind="train",state="busy"})'),
            number("Workers that are idle", 'max(kargah_workers{kind="train",state="idle"})'),
            number("Jobs completed", 'sum(kargah_jobs{status="completed"})'),
            number("Jobs in error", 'sum(kargah_jobs{status="error"})', bad=1),
        ],
        [
            graph("Workers", {"{{state}}": _TRAINERS}, text="Those that take trainings."),
            graph("Jobs by status", {"{{status}}": "sum by (status) (kargah_jobs) > 0"}),
        ],
        [
            graph("Training speed", {"{{job_id}}": "kargah_job_tokens_per_second"}, "short", text="Tokens a second."),
            graph("Progress", {"{{job_id}}": "kargah_job_progress_percent"}, "percent"),
        ],
        [
            graph("Memory of trainings", {"{{job_id}}": "kargah_job_memory_bytes"}, "bytes"),
            graph(
                "Unsaved work",
                {"{{job_id}}": "max by (job_id) (kargah_job_unsaved_seconds)"},
                "s",
                text="Time since the last checkpoint: what a crash now would cost.",
            ),
        ],
        [
            number("GPUs", _GPUS, text="NVIDIA devices, each once, whoever tells of it."),
            graph("GPU use", {"{{name}} {{uuid}}": f"max by {_DEVICE} (kargah_gpu_busy_ratio)"}, "percentunit"),
            graph(
                "GPU memory",
                {"{{name}} {{uuid}}": f"max by {_DEVICE} (kargah_gpu_memory_used_bytes)"},
                "bytes",
            ),
        ],
        [
            graph("Datasets and models", {"datasets": "max(kargah_datasets)", "models": "max(kargah_models)"}),
            graph(
                "Stored",
                {"dataset rows": "max(kargah_dataset_bytes)", "model files": "max(kargah_blob_bytes)"},
                "bytes",
            ),
        ],
    ],
    text_variable("kargah", "Kargah's address", "http://127.0.0.1:8080"),
)
