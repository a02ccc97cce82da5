"""What a training would take: by the formulas, and over HTTP with what has run before."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.estimates.fit import could_take, fit_of
from gateway.estimates.memory import Work, memory_of
from gateway.estimates.shape import Shape, shape_of
from kargah.contracts.estimates import TokenCounts
from kargah.contracts.queue import WorkerView
from kargah.jobstore import attempt_repository as attempts
from kargah.jobstore import worker_repository
from kargah.jobstore.values import Batch, MetricValue

_SMALL = {
    "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9,
    "num_key_value_heads": 3, "vocab_size": 49152,
}  # fmt: skip
_COUNTS = TokenCounts(rows=371, tokens=48_069, trained_tokens=24_404, longest=179)
_CPU = {"threads": 2, "gpus": [], "devices": 2, "nodes": 1, "memoryBytes": 16 * 10**9}


def _shape() -> Shape:
    shape = shape_of(_SMALL)
    assert shape is not None
    return shape


def _work(method: str = "lora", **params: Any) -> Work:
    shape, base = _shape(), 134_515_008
    adapter = shape.adapter_parameters(16, matrices=3)
    given = {"batch_size": 8, "gradient_accumulation": 1, "max_length": 1024, "precision": "fp32", **params}
    if method == "full":
        return Work(base, (base, base), shape, shape.vocabulary, given, _COUNTS)
    return Work(base + adapter, (adapter, adapter), shape, shape.vocabulary, given, _COUNTS)


def _worker(**fields: Any) -> WorkerView:
    given = {
        "name": "w", "kinds": ["train"], "device": _CPU, "job_id": None, "busy": False, "alive": True,
        "started_at": "2026-01-01T00:00:00Z", "seen_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    return WorkerView.model_validate(given | fields)


def test_an_adapter_has_as_many_parameters_as_peft_makes() -> None:
    assert _shape().adapter_parameters(16, matrices=3) == 4_884_480  # what a trainer tells of smollm2 with rank 16


def test_the_shape_of_others_is_read_and_what_cannot_be_is_not_guessed() -> None:
    small = shape_of({"n_layer": 12, "n_embd": 768, "n_head": 12, "n_inner": None, "vocab_size": 50257})
    assert small == Shape(12, 768, 3072, 768, 768, 50257)
    assert shape_of({**_SMALL, "num_local_experts": 8}) is None
    assert shape_of({"hidden_size": 576, "num_hidden_layers": True, "vocab_size": 3}) is None


def test_the_range_holds_what_a_training_of_this_kind_was_measured_to_hold() -> None:
    memory = memory_of(_work(), "cpu", 1)
    assert memory.total.least < 3_784_998_912 < memory.total.most  # smollm2, LoRA, fp32, batches of 8 such rows
    assert memory.weights.least == 4 * (134_515_008 + 4_884_480)
    assert memory.moments.least == memory.moments.most == 8 * 4_884_480
    assert memory.required < memory.total.least


def test_all_weights_take_sixteen_bytes_a_parameter_and_sharding_divides_them() -> None:
    whole = memory_of(_work("full"), "cpu", 1)
    states = whole.weights.least + whole.gradients.least + whole.moments.least
    assert states == 16 * 134_515_008
    shared = memory_of(_work("full"), "cpu", 4)
    assert shared.moments.least * 4 == whole.moments.least and shared.activations == whole.activations


def test_what_saves_activations_and_what_bounds_them() -> None:
    usual = memory_of(_work(), "gpu", 1)
    assert memory_of(_work(gradient_checkpointing=True), "gpu", 1).activations.most < usual.activations.most / 2
    narrow = memory_of(_work(max_tokens_per_batch=256), "gpu", 1)
    assert narrow.tokens_at_a_time == 256 and narrow.activations.most < usual.activations.most
    assert memory_of(_work(max_tokens_per_batch=16), "gpu", 1).tokens_at_a_time == 179  # a row is never divided
    assert memory_of(_work(batch_size=1000), "cpu", 1).tokens_at_a_time == 2048
    narrower = memory_of(_work(precision="bf16"), "cpu", 1)
    assert narrower.weights.least < usual.weights.least


@pytest.mark.parametrize(
    ("memory_bytes", "verdict"), [(10**12, "fits"), (4 * 10**9, "tight"), (10**9, "does_not_fit"), (None, "unknown")]
)
def test_the_verdict_follows_the_memory_that_a_worker_tells(memory_bytes: int | None, verdict: str) -> None:
    assert fit_of(_work(), _worker(device={**_CPU, "memoryBytes": memory_bytes}), 1).verdict == verdict


def test_processes_on_a_cpu_share_its_memory_and_a_gpu_tells_none() -> None:
    two = fit_of(_work(), _worker(), 2)
    assert (two.processes, two.device, two.memory_bytes) == (2, "cpu", 16 * 10**9)
    gpu = fit_of(_work(), _worker(device={**_CPU, "gpus": ["A"]}), 2)
    assert (gpu.processes, gpu.device, gpu.verdict) == (1, "gpu", "unknown")


def test_only_living_trainers_with_devices_enough_are_asked() -> None:
    assert could_take(_worker(), 2)
    assert not could_take(_worker(), 3)
    assert not could_take(_worker(alive=False), 1) and not could_take(_worker(kinds=["install"]), 1)


def _estimate(stack: Any, counts: dict[str, int] | None = None, **config: Any) -> Any:
    body = {"baseModelPath": "models/bert_fa_base", "datasetPath": "datasets/text/parsinlu_rc", **config}
    return stack.http.post("/api/train/estimate", json={"config": body, "counts": counts})


def test_steps_and_tokens_are_counted_and_the_rest_is_not_invented(stack: Any) -> None:
    counts = {"rows": 7, "tokens": 700, "trainedTokens": 70, "longest": 120}
    told = _estimate(stack, counts, epochs=2, batchSize=4).json()
    assert (told["recipe"], told["trainRows"], told["stepsPerEpoch"], told["steps"]) == ("masked_lm", 7, 2, 4)
    assert (told["tokens"], told["trainedTokens"]) == (1400, 140)
    assert (told["noMemory"], told["fits"]) == ("unknown_size", [])
    assert (told["noTime"], told["time"], told["former"]) == ("no_former_training", None, [])
    assert _estimate(stack).json()["noTime"] == "no_counts"
    refused = _estimate(stack, epochs=0, batchSize=1000)  # as the training itself would be
    assert refused.status_code == 422
    assert {error["field"] for error in refused.json()["errors"]} == {"config.epochs", "config.batchSize"}


def test_memory_and_time_come_from_the_model_the_workers_and_what_has_run(stack: Any) -> None:
    stack.peers.configs["bert_fa_base"] = _SMALL
    stack.bench.do(worker_repository.announce, "w", ["train"], _CPU, None, first=True)
    counts = {"rows": 7, "tokens": 700, "trainedTokens": 70, "longest": 120}
    _completed(stack, tokens=5000, seconds=50.0)
    _completed(stack, tokens=5000, seconds=1.0, devices=2)  # of another kind: not asked
    _completed(stack, tokens=5000, seconds=25.0)
    told = _estimate(stack, counts, epochs=2).json()
    assert [(fit["worker"], fit["verdict"]) for fit in told["fits"]] == [("w", "fits")]
    assert (told["parameters"], told["trainedParameters"], told["noMemory"]) == (134_515_008, 134_515_008, None)
    assert [job["tokensPerSecond"] for job in told["former"]] == [200.0, 100.0]
    assert told["former"][0]["memoryBytes"] == 123 and told["time"] == {"least": 7.0, "most": 14.0}


def _completed(stack: Any, tokens: int, seconds: float, **config: Any) -> None:
    job_id = stack.submit(**config).json()["id"]
    claim = stack.bench.claim()
    assert claim is not None and claim.job_id == job_id
    stack.bench.do(attempts.record, job_id, claim.generation, Batch(metrics=[MetricValue(1, "memory_bytes", 123.0)]))
    told = {"metrics": {"tokens": tokens, "training_seconds": seconds}}
    stack.bench.do(attempts.finish, job_id, claim.generation, told)
