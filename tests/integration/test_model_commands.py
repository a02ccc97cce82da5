"""The commands about models, on a registry that is served over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from kargah.adapters.minio_store import MinioStore
from kargah.cli.main import app
from kargah.testing.fixtures import DatabaseUrlFor
from kargah.testing.serving import served
from registry.testing.bench import adapter_files, model_files, registry_bench
from worker.testing.hub_server import COMMIT, Hub, serving

Run = Callable[..., Result]


@pytest.fixture
def hub() -> Iterator[Hub]:
    files = {**model_files(), "pytorch_model.bin": b"pickle"}
    with serving(Hub(files)) as running:
        running.card = {"license": "mit"}
        yield running


@pytest.fixture
def run(hub: Hub, database_url_for: DatabaseUrlFor, object_store: MinioStore) -> Iterator[Run]:
    with registry_bench(database_url_for("registry"), object_store, upstream_url=hub.url) as bench:
        base = bench.version("base", model_files(card="---\nlicense: mit\n---\n# The base's card"))
        bench.version("base", model_files(2))
        lineage = {"base_version_id": base["id"], "dataset": "persian_qa", "dataset_version": 2, "job_id": "job_1"}
        bench.version("tuned", adapter_files(), lineage=lineage)
        with served(bench.registry.app) as url:
            yield lambda *words: CliRunner().invoke(app, ["--url", url, *words], terminal_width=120)


def output(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def document(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_an_alias_from_the_command_line(run: Run) -> None:
    assert "base@production is version 1" in output(run("model", "alias", "base", "production", "1"))
    assert "version 2 (before that version 1)" in output(run("model", "alias", "base", "production", "2"))
    assert document(run("model", "alias", "base", "--json"))["items"][0]["previous"] == 1
    assert document(run("model", "show", "base@production", "--json"))["version"]["version"] == 2
    refused = run("model", "delete", "base@production")
    assert refused.exit_code != 0
    assert "Removed" in output(run("model", "alias", "base", "production", "--delete"))
    assert "No such alias" in output(run("model", "alias", "base"))
    assert run("model", "alias", "base", "--delete").exit_code == 2


def test_tags_from_the_command_line(run: Run) -> None:
    assert "base@1: persian reviewed" in output(run("model", "tag", "base@1", "persian", "reviewed"))
    assert "base@1: reviewed" in output(run("model", "tag", "base@1", "--remove", "persian"))
    assert document(run("model", "tag", "base", "--json"))["tags"] == []


def test_versions_are_listed_with_their_labels(run: Run) -> None:
    run("model", "alias", "base", "production", "1")
    run("model", "tag", "base@1", "reviewed")
    assert "1 causal_lm 4.2 kB production reviewed test" in output(run("model", "versions", "base"))
    assert [item["version"] for item in document(run("model", "versions", "base", "--json"))["items"]] == [2, 1]


def test_a_model_is_shown_with_its_family(run: Run) -> None:
    run("model", "alias", "tuned", "candidate", "1")
    shown = output(run("model", "show", "tuned"))
    assert "licence mit" in shown and "base: base@1 causal_lm" in shown and "dataset: persian_qa@2" in shown
    assert "candidate -> version 1" in shown
    base = output(run("model", "show", "base@1", "--card"))
    assert "tuned@1 adapter, trained on persian_qa@2 (base)" in base and "The base's card" in base


def test_a_version_is_downloaded(run: Run, tmp_path: Path) -> None:
    run("model", "download", "base@1", str(tmp_path / "one"))
    assert (tmp_path / "one/model.safetensors").read_bytes() == model_files()["model.safetensors"]


def test_the_hub_is_searched_and_judged(run: Run, hub: Hub) -> None:
    assert "org/model" in output(run("hub", "search", "model"))
    assert "no model like that" in output(run("hub", "search", "nothing-like-it"))
    told = output(run("hub", "info", "org/model"))
    assert "licence mit" in told and COMMIT[:12] in told and "kargah model install hub:org/model" in told
    assert document(run("hub", "info", "org/model@v1", "--json"))["safe"] is True
    del hub.files["model.safetensors"]
    assert "Not installed: the repository has pickled weights only" in output(run("hub", "info", "org/model"))
    refused = run("model", "install", "hub:org/model")
    assert refused.exit_code == 1 and "Not installed" in refused.output, "nothing is queued"


def test_a_bundle_from_the_command_line(run: Run, tmp_path: Path) -> None:
    key, bundle = tmp_path / "key", tmp_path / "tuned.kargah"
    assert "stays secret" in output(run("bundle", "keygen", str(key), "--owner", "lab A"))
    assert run("bundle", "keygen", str(key)).exit_code == 2
    made = output(run("bundle", "export", "model", "tuned", "-o", str(bundle), "--key", str(key)))
    assert "base@1, tuned@1" in made.replace("\n", "")
    untrusted = run("bundle", "import", str(bundle))
    assert untrusted.exit_code == 1
    taken = run("bundle", "import", str(bundle), "--trust", f"{key}.pub", "--json")
    assert document(taken)["models"] == ["base@1", "tuned@1"], "a bundle that comes home"
