"""From a submitted config to a snapshot, or to errors in the caller's own words. No database, no HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.jobs.param_messages import range_of
from gateway.jobs.params import check_params
from gateway.jobs.resolve import resolve
from gateway.jobs.submitted import Given, read_config, snake_case
from kargah.contracts.datasets import DatasetStats, DatasetVersionView, DatasetView
from kargah.contracts.jobs import JobConfig, JobCreate, RecipeView
from kargah.contracts.models import ModelFacts, ModelLocation, ModelVersionView, ModelView
from kargah.domain.errors import Invalid, Unavailable

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_INPUTS = {"baseModelPath": "models/bert", "datasetPath": "datasets/text/rows"}
_SCHEMA: dict[str, Any] = {
    "properties": {
        "epochs": {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 3,
                   "basic": {"minimum": 1, "maximum": 100}},
        "learning_rate": {"type": "number", "exclusiveMinimum": 0, "maximum": 10, "default": 5e-5,
                          "basic": {"minimum": 1e-5, "maximum": 1e-2}},
        "batch_size": {"type": "integer", "minimum": 1, "default": 8, "basic": {"minimum": 1, "maximum": 64}},
        "max_steps": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}], "default": None,
                      "basic": {"minimum": 10, "maximum": 10_000}},
        "schedule": {"$ref": "#/$defs/Schedule", "default": "linear"},
        "targets": {"type": "array", "items": {"type": "string", "minLength": 1}, "default": ["all"]},
    },
    "$defs": {"Schedule": {"enum": ["linear", "cosine"]}},
}  # fmt: skip


class _Installed:
    """One encoder and one question/answer set."""

    def model(self, name: str, version: str | None = None) -> ModelLocation | None:
        if name != "bert" or version not in (None, "4"):
            return None
        return ModelLocation(version=self._version(), bucket="b", prefix="blobs/")

    def dataset(self, name: str, version: int | None = None) -> DatasetVersionView | None:
        return self._rows() if name == "rows" else None

    def models(self) -> Iterable[ModelView]:
        return [ModelView(id="m", name="bert", created_at=_AT, latest=self._version())]

    def datasets(self) -> Iterable[DatasetView]:
        return [DatasetView(id="d", name="rows", created_at=_AT, latest=self._rows())]

    def _version(self) -> ModelVersionView:
        facts = ModelFacts(kind="encoder")
        return ModelVersionView(
            id="mver", model="bert", version=4, files=[], facts=facts, size_bytes=1, source="s", created_at=_AT
        )

    def _rows(self) -> DatasetVersionView:
        stats = DatasetStats(rows=1, size_bytes=1, fields=[])
        return DatasetVersionView(
            id="dver", dataset="rows", version=2, format="question_answer", sha256="0", source_filename="f",
            source_sha256="0", stats=stats, created_at=_AT,
        )  # fmt: skip


def _recipe(name: str = "masked_lm", **fields: Any) -> RecipeView:
    given = {"model_kinds": ["encoder"], "formats": ["question_answer"], "rank": 10, "params_schema": _SCHEMA}
    return RecipeView(name=name, title=name, description="", **{**given, **fields})


def _resolve(*recipes: RecipeView, name: str = "my run", **config: Any) -> JobConfig:
    return resolve(JobCreate(name=name, config={**_INPUTS, **config}), recipes or (_recipe(),), _Installed())


def _errors(**config: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        _resolve(**config)
    return {error.field: error.message for error in refused.value.errors}


def test_defaults_are_part_of_the_snapshot() -> None:
    params = _resolve(epochs=2).params
    assert params == {
        "epochs": 2, "learning_rate": 5e-5, "batch_size": 8, "max_steps": None, "schedule": "linear",
        "targets": ["all"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("epochs", 0, "Must be from 1 to 100; 0 was given."),
        ("epochs", 1_000_000_000, "Must be from 1 to 100; 1000000000 was given."),
        ("epochs", 500, "Must be from 1 to 100; 500 was given. With config.advanced = true: from 1 to 10000."),
        ("epochs", True, "Must be a whole number, not true."),
        ("epochs", "2", "Must be a whole number, not '2'."),
        ("epochs", 2.5, "Must be a whole number, not 2.5."),
        ("epochs", None, "Must be a whole number, not null."),
        ("learningRate", 1.0, "Must be from 1e-05 to 0.01; 1.0 was given. With config.advanced = true: "
         "above 0 and at most 10."),
        ("learning_rate", 0, "Must be from 1e-05 to 0.01; 0 was given."),
        ("batchSize", 65, "Must be from 1 to 64; 65 was given. With config.advanced = true: at least 1."),
        ("maxSteps", 5, "Must be from 10 to 10000; 5 was given. With config.advanced = true: at least 1."),
        ("maxSteps", "many", "Must be a whole number, not 'many'."),
        ("schedule", "stairs", "Must be one of: 'linear', 'cosine'."),
        ("learninRate", 1e-4, "There is no such parameter. Did you mean learningRate?"),
    ],
)  # fmt: skip
def test_each_wrong_parameter_is_told_in_the_callers_spelling(field: str, value: object, said: str) -> None:
    assert _errors(**{field: value}) == {f"config.{field}": said}


def test_the_place_inside_a_list_is_named() -> None:
    assert list(_errors(targets=["q", ""])) == ["config.targets[1]"]


def test_advanced_opens_the_wider_range_and_no_more() -> None:
    assert _resolve(epochs=500, advanced=True).params["epochs"] == 500
    assert _errors(epochs=20_000, advanced=True) == {"config.epochs": "Must be from 1 to 10000; 20000 was given."}


def test_all_errors_come_at_once() -> None:
    found = _errors(baseModelPath="models/none", epochs=0, outputDir="../../etc", recipe="masked_lm")
    assert set(found) == {"config.baseModelPath", "config.epochs", "config.outputDir"}


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "C:\\models", "models/", "bert@5", "a/b/c"])
def test_paths_that_name_nothing_are_not_installed(path: str) -> None:
    assert "Installed: models/bert." in _errors(baseModelPath=path)["config.baseModelPath"]


def test_a_version_can_be_asked_for() -> None:
    config = _resolve(baseModelPath="models/bert@4")
    assert config.base_model is not None and config.base_model.version == 4


def test_what_was_not_given_is_named_as_the_documents_name_it() -> None:
    with pytest.raises(Invalid) as refused:
        resolve(JobCreate(name="n", config={}), [_recipe()], _Installed())
    assert [error.field for error in refused.value.errors] == ["config.baseModelPath", "config.datasetPath"]


def test_contradictions_are_refused() -> None:
    assert _errors(baseModel="other") == {"config.baseModel": "Contradicts config.baseModelPath: give one of them."}
    assert list(_errors(batchSize=4, batch_size=8)) == ["config.batch_size"]
    assert list(_errors(advanced="yes")) == ["config.advanced"]
    assert list(_errors(recipe=5)) == ["config.recipe"]


def test_devices_are_counted_from_one() -> None:
    assert _resolve().devices == 1 and _resolve(devices=4).devices == 4
    for wrong in (0, 65, 2.0, True, "2"):
        assert _errors(devices=wrong) == {"config.devices": "Must be a whole number, 1 to 64."}


def test_nodes_have_so_many_devices_each() -> None:
    assert _resolve(nodes=2).devices == 2 and _resolve(nodes=2, devices=4).devices == 8
    assert _errors(nodes=0) == {"config.nodes": "Must be a whole number, 1 to 64."}
    assert _errors(nodes=8, devices=9) == {"config.nodes": "72 devices in all are too many: 64 at most."}


def test_the_output_is_named_after_the_job_unless_given() -> None:
    assert _resolve(name="My run (2)").output_model == "my-run-2"
    assert _resolve(outputDir="models/finetuned/test").output_model == "test"
    assert _resolve(name="آموزش").output_model == "bert-rows"
    with pytest.raises(Invalid) as refused:
        _resolve(outputDir="owner/files")
    assert [error.field for error in refused.value.errors] == ["config.outputDir"]


def test_the_lowest_rank_that_fits_is_chosen() -> None:
    recipes = [_recipe("slow", rank=50), _recipe("quick", rank=5), _recipe("sft", rank=1, model_kinds=["causal_lm"])]
    assert _resolve(*recipes).recipe == "quick"
    assert _resolve(*recipes, recipe="slow").recipe == "slow"


def test_a_recipe_that_does_not_fit_says_why() -> None:
    chat = _recipe("sft", model_kinds=["causal_lm"])
    with pytest.raises(Invalid, match=r"config\.recipe") as refused:
        _resolve(chat, recipe="sft")
    assert "takes causal_lm models, and this one is encoder" in refused.value.errors[0].message
    with pytest.raises(Invalid) as refused:
        _resolve(chat)
    assert "sft: causal_lm models with question_answer rows" in refused.value.errors[0].message
    assert _errors(recipe="masked-lm")["config.recipe"].endswith("Did you mean masked_lm?")


def test_without_recipes_nothing_can_be_trained_yet() -> None:
    with pytest.raises(Unavailable, match="worker"):
        resolve(JobCreate(name="n", config=_INPUTS), [], _Installed())


def test_rules_between_parameters_count_too() -> None:
    schema = {**_SCHEMA, "dependentRequired": {"max_steps": ["epochs"]}, "required": ["batch_size"]}
    _, errors = check_params(schema, {"max_steps": Given(50, "config.maxSteps")}, advanced=False)
    assert [error.field for error in errors] == ["config.batchSize"]
    given = {"max_steps": Given(50, "config.maxSteps"), "batch_size": Given(1, "config.batchSize")}
    _, errors = check_params(schema, given, advanced=False)
    assert len(errors) == 1 and "epochs" in errors[0].message


def test_names_in_either_spelling() -> None:
    assert [snake_case(name) for name in ("learningRate", "learning_rate", "maxSteps2", "loraR")] == [
        "learning_rate", "learning_rate", "max_steps2", "lora_r",
    ]  # fmt: skip
    assert read_config({"base_model_path": "a", "baseModel": None}).given("base_model").value == "a"
    assert range_of({}) == "anything"
