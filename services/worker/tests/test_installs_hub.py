"""Installing from a hub: pinned, verified, resumed; pickles, foreign code and lies are refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from kargah.contracts.runs import RunSpec
from kargah.domain.kinds import Kind
from kargah.testing.waiting import wait_until
from worker.installs.errors import InstallFailed
from worker.installs.folder import describe_folder
from worker.installs.hub import install_hub
from worker.installs.pace import Pace
from worker.testing.hub_server import COMMIT, Hub, serving
from worker.testing.notes import Notes
from worker.trainer.errors import Interruption

WEIGHTS = save({"w": np.arange(50_000, dtype=np.float32)})
CONFIG = json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}).encode()
FILES = {
    "config.json": CONFIG,
    "tokenizer.json": b"{}",
    "README.md": "# مدل".encode(),
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"pickle",
    "modeling_llama.py": b"import os",
    "onnx/model.onnx": b"onnx",
}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub(dict(FILES))) as served:
        yield served


def install(hub: Hub, tmp_path: Path, revision: str | None = None, repo: str = "org/model") -> str:
    return install_hub(repo, revision, tmp_path / "cache", tmp_path / "model", Notes(), endpoint=hub.url)


def refusal(hub: Hub, tmp_path: Path, revision: str | None = None, repo: str = "org/model") -> InstallFailed:
    with pytest.raises(InstallFailed) as caught:
        install(hub, tmp_path, revision, repo)
    return caught.value


@pytest.mark.parametrize("revision", [None, "v1", COMMIT])
def test_only_data_files_come_and_the_commit_is_told(hub: Hub, tmp_path: Path, revision: str | None) -> None:
    assert install(hub, tmp_path, revision) == COMMIT
    got = {entry.path for entry in describe_folder(tmp_path / "model")}
    assert got == {"config.json", "tokenizer.json", "README.md", "model.safetensors"}
    assert (tmp_path / "model/model.safetensors").read_bytes() == WEIGHTS
    assert not any((tmp_path / "cache/hub").iterdir())


def test_shards_are_those_the_index_names(hub: Hub, tmp_path: Path) -> None:
    del hub.files["model.safetensors"]
    shards = {f"model-0000{n}-of-00002.safetensors": save({f"w{n}": np.zeros(9, np.float32)}) for n in (1, 2)}
    index = {"metadata": {}, "weight_map": {"w1": sorted(shards)[0], "w2": sorted(shards)[1]}}
    hub.files |= shards | {
        "consolidated.safetensors": WEIGHTS,
        "model.safetensors.index.json": json.dumps(index).encode(),
    }
    install(hub, tmp_path)
    weights = {path.name for path in (tmp_path / "model").glob("*.safetensors")}
    assert weights == set(shards)


@pytest.mark.parametrize("name", ["../../evil.safetensors", "evil.bin", "/evil.safetensors", "absent.safetensors"])
def test_an_index_cannot_point_elsewhere(hub: Hub, tmp_path: Path, name: str) -> None:
    del hub.files["model.safetensors"]
    hub.files["model.safetensors.index.json"] = json.dumps({"weight_map": {"w": name}}).encode()
    assert refusal(hub, tmp_path).code in ("bad_config", "incomplete")


def test_pickles_alone_are_refused_with_the_reason(hub: Hub, tmp_path: Path) -> None:
    del hub.files["model.safetensors"]
    error = refusal(hub, tmp_path)
    assert error.code == "pickle_only" and error.permanent
    assert "pytorch_model.bin" in error.message and error.hint is not None and "safetensors" in error.hint


@pytest.mark.parametrize(
    ("file", "config", "word"),
    [
        ("config.json", {"model_type": "llama", "auto_map": {"AutoModel": "modeling.M"}}, "auto_map"),
        ("config.json", {"model_type": "my_own"}, "my_own"),
        ("config.json", {}, "model_type"),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["tok.T", None]}}, "auto_map"),
    ],
)
def test_foreign_code_is_refused_before_the_weights(
    hub: Hub, tmp_path: Path, file: str, config: dict[str, object], word: str
) -> None:
    hub.files[file] = json.dumps(config).encode()
    error = refusal(hub, tmp_path)
    assert error.code == "refused_config" and word in error.message and file in error.message
    assert "model.safetensors" not in [path for path, _ in hub.ranges]


def test_a_cut_download_goes_on_where_it_ended(hub: Hub, tmp_path: Path) -> None:
    large = save({"w": np.zeros(6_000_000, dtype=np.float32)})
    hub.files["model.safetensors"] = large
    hub.cut_after["model.safetensors"] = 23_000_000
    install(hub, tmp_path)
    assert (tmp_path / "model/model.safetensors").read_bytes() == large
    starts = [start for path, start in hub.ranges if path == "model.safetensors"]
    assert starts[0] == 0 and 10_000_000 < starts[-1] <= 23_000_000


def test_a_killed_worker_s_download_goes_on_where_it_ended(hub: Hub, tmp_path: Path) -> None:
    large = save({"w": np.zeros(6_000_000, dtype=np.float32)})
    hub.files["model.safetensors"] = large
    hub.stall_after["model.safetensors"] = 23_000_000
    spec = RunSpec(
        job_id="job", generation=1, kind=Kind.INSTALL, recipe="install", params={"source": "hub:org/model"},
        work_dir=str(tmp_path / "work"), cache_dir=str(tmp_path / "cache"),
    )  # fmt: skip
    (tmp_path / "spec.json").write_text(spec.model_dump_json())
    command = [sys.executable, "-m", "worker.trainer.main", "--spec", str(tmp_path / "spec.json")]
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(tmp_path / "hf")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            assert hub.stalled.wait(60)
            wait_until(
                lambda: sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*.part")) >= 20_000_000,
                timeout=30,
            )
        finally:
            process.kill()
            process.wait(30)
            hub.go_on.set()
    notes = Notes()
    install_hub("org/model", None, tmp_path / "cache", tmp_path / "model", notes, endpoint=hub.url)
    assert (tmp_path / "model/model.safetensors").read_bytes() == large
    starts = [start for path, start in hub.ranges if path == "model.safetensors"]
    assert starts[0] == 0 and starts[-1] >= 20_000_000
    weights = [percent for percent in notes.percents if percent > 1]
    assert weights[0] >= 75, "what was there already counts"
    assert notes.percents == sorted(notes.percents) and notes.percents[-1] <= 95


def test_size_and_licence_are_told_before_the_download(hub: Hub, tmp_path: Path) -> None:
    hub.card = {"license": "apache-2.0"}
    notes = Notes()
    install_hub("org/model", None, tmp_path / "cache", tmp_path / "model", notes, endpoint=hub.url)
    assert "0.2 MB to download, licence apache-2.0" in notes.lines[0]


def test_the_pace_tells_what_is_left() -> None:
    pace = Pace(total=100_000_000, begun=20_000_000, since=10.0)
    assert pace.told(20_000_000, 11.0) == (20.0, "downloaded 20.0 of 100.0 MB", None)
    percent, note, left = pace.told(60_000_000, 14.0)
    assert (percent, note, left) == (60.0, "downloaded 60.0 of 100.0 MB", pytest.approx(4.0))


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json"])
def test_bytes_other_than_announced_are_refused(hub: Hub, tmp_path: Path, file: str) -> None:
    right = hub.files[file]
    hub.lies[file] = right[:-1] + bytes([right[-1] ^ 1])
    error = refusal(hub, tmp_path)
    assert error.code == "wrong_hash" and file in error.message and not error.permanent
    hub.lies.clear()
    assert install(hub, tmp_path) == COMMIT


def test_what_the_hub_says_no_to(hub: Hub, tmp_path: Path) -> None:
    assert refusal(hub, tmp_path, repo="org/other").code == "not_found"
    assert refusal(hub, tmp_path, revision="v9").code == "not_found"
    assert refusal(hub, tmp_path, repo="a/b/c").code == "bad_source"
    hub.gated = True
    gated = refusal(hub, tmp_path)
    assert gated.code == "gated" and gated.hint is not None and "HF_TOKEN" in gated.hint


def test_a_hub_that_is_down_is_worth_another_try(tmp_path: Path) -> None:
    with serving(Hub(dict(FILES))) as hub:
        pass
    error = refusal(hub, tmp_path)
    assert error.code == "hub_unavailable" and not error.permanent


def test_an_adapter_cannot_stand_alone(hub: Hub, tmp_path: Path) -> None:
    hub.files = {"adapter_config.json": b"{}", "adapter_model.safetensors": WEIGHTS}
    assert refusal(hub, tmp_path).code == "adapter"


def test_the_reporter_can_end_the_install(hub: Hub, tmp_path: Path) -> None:
    ending = Notes(stop_at=1)
    with pytest.raises(Interruption):
        install_hub("org/model", None, tmp_path / "cache", tmp_path / "model", ending, endpoint=hub.url)
    assert not (tmp_path / "model").exists()
