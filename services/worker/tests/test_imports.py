"""Files from URLs and hubs on real local servers: resumed, checked at each turn, bounded, and nothing run."""

from __future__ import annotations

import gzip
import io
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kargah.domain.hub_repository import HubFile
from worker.imports import download as download_module
from worker.imports.allowed import Allowed
from worker.imports.download import Download, Rules
from worker.imports.errors import ImportFailed
from worker.imports.hub import chosen_files, fetch_hub, parse_hub_source
from worker.testing.file_server import FileServer, serving_files
from worker.testing.hub_server import Hub, serving
from worker.testing.notes import Notes
from worker.trainer.errors import Interruption

DATA = b"".join(b'{"question":"%d","answer":"x"}\n' % number for number in range(200_000))
LOOPBACK = Allowed(["127.0.0.1", "localhost"])


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving_files({"/data.jsonl": DATA}) as served:
        yield served


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_module, "_LONGEST_PAUSE", 0.01)


def fetch(server: FileServer, target: Path, path: str = "/data.jsonl", **change: Any) -> Notes:
    notes = change.pop("notes", None) or Notes()
    rules = Rules(**{"allowed": LOOPBACK, "max_bytes": 1 << 30, **change})
    Download(server.url + path, target, rules, notes).run()
    return notes


def refused(server: FileServer, target: Path, path: str = "/data.jsonl", **change: Any) -> ImportFailed:
    with pytest.raises(ImportFailed) as caught:
        fetch(server, target, path, **change)
    assert not target.exists()
    return caught.value


def test_a_file_comes_whole(server: FileServer, tmp_path: Path) -> None:
    notes = fetch(server, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == DATA
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert notes.percents == sorted(notes.percents)
    assert notes.percents[-1] == 90


def test_lost_connections_are_taken_up_where_they_broke(server: FileServer, tmp_path: Path) -> None:
    server.cuts = [1_000_000, 0, 2_000_000]
    fetch(server, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == DATA
    ranges = [asked for _, _, asked in server.asked]
    assert ranges == [None, "bytes=1000000-", "bytes=1000000-", "bytes=3000000-"]


def test_a_later_try_goes_on(server: FileServer, tmp_path: Path) -> None:
    server.cuts = [2_500_000]
    with pytest.raises(Interruption):
        fetch(server, tmp_path / "file", notes=Notes(stop_at=3))
    fetch(server, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == DATA
    assert str(server.asked[-1][2]).startswith("bytes=")


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_that_changed_begins_anew(server: FileServer, tmp_path: Path, ranges: bool) -> None:
    with pytest.raises(Interruption):
        fetch(server, tmp_path / "file", notes=Notes(stop_at=2))
    server.files["/data.jsonl"], server.ranges = DATA[::-1], ranges
    fetch(server, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == DATA[::-1]


def test_a_server_that_is_away_for_a_moment_is_waited_for(server: FileServer, tmp_path: Path) -> None:
    server.statuses = [503, 429, 500]
    fetch(server, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == DATA


def test_a_server_that_stays_away_is_told_and_may_be_tried_again(server: FileServer, tmp_path: Path) -> None:
    server.statuses = [503] * 50
    error = refused(server, tmp_path / "file")
    assert (error.code, error.permanent) == ("source_unavailable", False)


def test_refusals_are_permanent(server: FileServer, tmp_path: Path) -> None:
    assert refused(server, tmp_path / "file", "/absent").code == "source_refused"
    error = refused(server, tmp_path / "file", max_bytes=len(DATA) - 1)
    assert (error.code, error.permanent) == ("too_large", True)
    assert list(tmp_path.iterdir()) == []


def test_redirects_are_followed_to_allowed_hosts_alone(server: FileServer, tmp_path: Path) -> None:
    server.redirects = {"/here": "/there", "/there": f"{server.url.replace('127.0.0.1', 'localhost')}/data.jsonl"}
    fetch(server, tmp_path / "file", "/here")
    assert (tmp_path / "file").read_bytes() == DATA
    assert [(path, host.partition(":")[0]) for path, host, _ in server.asked] == [
        ("/here", "127.0.0.1"),
        ("/there", "127.0.0.1"),
        ("/data.jsonl", "localhost"),
    ]
    for target, code in (
        ("http://169.254.169.254/latest/meta-data", "address_not_allowed"),
        ("http://elsewhere.example/x", "host_not_allowed"),
        ("file:///etc/passwd", "bad_source"),
        ("http://[x", "bad_source"),
        ("/here", "too_many_redirects"),
    ):
        server.redirects = {"/here": target}
        assert refused(server, tmp_path / "other", "/here").code == code


@pytest.mark.parametrize(
    ("entries", "url", "code"),
    [
        ([], "https://example.org/x", "host_not_allowed"),
        (["example.org"], "https://sub.example.org/x", "host_not_allowed"),
        (["*.example.org"], "https://example.org.evil.net/x", "host_not_allowed"),
        (["localhost"], "http://localhost/x", "address_not_allowed"),
        (["*"], "http://127.0.0.1/x", "address_not_allowed"),
        (["10.0.0.0/8"], "http://127.0.0.1/x", "address_not_allowed"),
        (["10.0.0.0/8"], "http://[::1]/x", "address_not_allowed"),
        (["10.0.0.0/8"], "http://[::ffff:127.0.0.1]/x", "address_not_allowed"),
        ([], "http://8.8.8.8/x", "address_not_allowed"),
        (["localhost"], "http://user:s3cr3t@localhost/x", "bad_source"),
        (["localhost"], "ftp://localhost/x", "bad_source"),
        (["localhost"], "http:///x", "bad_source"),
        (["localhost"], "http://localhost:99999/x", "bad_source"),
    ],
)
def test_places_that_may_not_be_fetched(entries: list[str], url: str, code: str) -> None:
    with pytest.raises(ImportFailed) as caught:
        Allowed(entries).place(url)
    assert caught.value.code == code
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("entries", "url", "address", "port"),
    [
        (["127.0.0.0/8", "localhost"], "http://LOCALHOST:8080/x", "127.0.0.1", 8080),
        (["10.0.0.0/8"], "https://10.1.2.3/x", "10.1.2.3", 443),
        (["127.0.0.1"], "http://[::ffff:127.0.0.1]/x", "127.0.0.1", 80),
    ],
)
def test_places_that_may_be_fetched(entries: list[str], url: str, address: str, port: int) -> None:
    place = Allowed(entries).place(url)
    assert (place.address, place.port) == (address, port)


@pytest.mark.parametrize(
    "address",
    [
        "::1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:a9fe:a9fe::1",
        "::ffff:0:10.0.0.1",
        "fec0::1",
        "ff0e::1",
    ],
)
def test_a_name_leads_nowhere_inside_by_way_of_a_tunnel(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 80, 0, 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: found)
    with pytest.raises(ImportFailed) as caught:
        Allowed(["inside.example"]).place("http://inside.example/x")
    assert caught.value.code == "address_not_allowed"


def test_the_way_over_nat64_is_a_way_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("64:ff9b::808:808", 80, 0, 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: found)
    assert Allowed(["dns.example"]).place("http://dns.example/x").address == "64:ff9b::808:808"


def test_a_url_that_no_request_can_carry_is_refused(server: FileServer, tmp_path: Path) -> None:
    assert refused(server, tmp_path / "file", "/\x7f").code == "bad_source"


def test_names_alone_are_judged_before_a_proxy() -> None:
    assert Allowed(["*.example.org"]).place("https://a.b.example.org/x", resolve=False).host == "a.b.example.org"


# --- the hub


def parquet(first: int, last: int) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": [str(number) for number in range(first, last)]}), sink)
    return sink.getvalue()


FILES = {
    "README.md": b"#",
    "loader.py": b"raise SystemExit('it was run')",
    "dataset_infos.json": b"{}",
    "data/train-00000-of-00002.parquet": parquet(0, 10),
    "data/train-00001-of-00002.parquet": parquet(10, 15),
    "data/test-00000-of-00001.parquet": parquet(90, 92),
    "lines/part-0.jsonl": b'{"text":"a"}\n{"text":"b"}',
    "lines/part-1.jsonl": b'{"text":"c"}\n',
    "packed/0.jsonl.gz": gzip.compress(b'{"text":"a"}\n', mtime=0),
    "packed/1.jsonl.gz": gzip.compress(b'{"text":"b"}\n', mtime=0),
    "tables/a.csv": b"text\na\n",
    "tables/b.csv": b"text\nb\n",
}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub(dict(FILES))) as served:
        yield served


def from_hub(hub: Hub, tmp_path: Path, source: str, max_bytes: int = 1 << 30) -> Path:
    target = tmp_path / f"out-{len(os.listdir(tmp_path))}"
    target.mkdir()
    return fetch_hub(parse_hub_source(source), tmp_path / "cache", target, Notes(), max_bytes, endpoint=hub.url)


def test_a_split_of_parquet_files_becomes_one(hub: Hub, tmp_path: Path) -> None:
    made = from_hub(hub, tmp_path, "hf:org/model@v1:train")
    assert pq.read_table(made).to_pydict() == {"text": [str(number) for number in range(15)]}
    made = from_hub(hub, tmp_path, "hf:org/model:data/test-00000-of-00001.parquet")
    assert made.read_bytes() == FILES["data/test-00000-of-00001.parquet"]
    assert not any(path.endswith((".py", "infos.json")) for path, _ in hub.ranges)


def test_without_a_choice_every_split_comes_and_each_row_tells_its_own(hub: Hub, tmp_path: Path) -> None:
    whole = pq.read_table(from_hub(hub, tmp_path, "hf:org/model")).to_pydict()
    assert whole["split"] == ["train"] * 15 + ["test"] * 2
    assert whole["text"][14:] == ["14", "90", "91"]
    hub.files = {
        "train.jsonl": b'{"text":"a"}\n{ "text":"b", "split":"x"}\nno row\n{}',
        "my-val.jsonl.gz": gzip.compress(b'{"text":"c"}\n'),
        "dev/more.ndjson": b'{"text":"d"}',
    }
    lines = from_hub(hub, tmp_path, "hf:org/model").read_bytes().splitlines()
    assert lines == [
        b'{"split":"train","text":"a"}',
        b'{"text": "b", "split": "train"}',
        b"no row",
        b'{"split":"train"}',
        b'{"split":"validation","text":"d"}',
        b'{"split":"validation","text":"c"}',
    ]
    hub.files = {"train.csv": 'متن;b\n"x\ny";1\n'.encode(), "test.csv": "\ufeffمتن;b\nz;2\n".encode()}
    assert from_hub(hub, tmp_path, "hf:org/model").read_text("utf-8").splitlines() == [
        "متن,b,split", '"x', 'y",1,train', "z,2,test",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [{"test.csv": b"other\nb\n"}, {"test.jsonl": b'{"text":"b"}\n'}, {"test.csv": b"text\n\xff\n"}],
)
def test_splits_that_do_not_go_together_leave_the_one_to_train_on(
    hub: Hub, tmp_path: Path, other: dict[str, bytes]
) -> None:
    hub.files = {"train.csv": b"text\na\n", **other}
    assert from_hub(hub, tmp_path, "hf:org/model").read_bytes() == b"text\na\n"


def test_lines_are_put_together(hub: Hub, tmp_path: Path) -> None:
    made = from_hub(hub, tmp_path, "hf:org/model:lines").read_text(encoding="utf-8")
    assert [json.loads(line)["text"] for line in made.splitlines() if line] == ["a", "b", "c"]
    packed = from_hub(hub, tmp_path, "hf:org/model:packed/")
    assert gzip.decompress(packed.read_bytes()) == b'{"text":"a"}\n{"text":"b"}\n'


@pytest.mark.parametrize(
    ("source", "code", "told"),
    [
        ("hf:org/model:tables", "many_files", "a.csv, b.csv"),
        ("hf:org/model:validation", "not_found", "'validation'"),
        ("hf:org/model@nope", "not_found", "nope"),
        ("hf:org/absent", "not_found", "org/absent"),
        ("hf:org/model:loader.py", "not_found", "loader.py"),
    ],
)
def test_what_the_hub_cannot_give(hub: Hub, tmp_path: Path, source: str, code: str, told: str) -> None:
    with pytest.raises(ImportFailed) as caught:
        from_hub(hub, tmp_path, source)
    assert caught.value.code == code
    assert told in str(caught.value)


def test_a_download_from_the_hub_is_bounded_and_verified(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(ImportFailed) as caught:
        from_hub(hub, tmp_path, "hf:org/model:train", max_bytes=100)
    assert caught.value.code == "too_large"
    hub.lies["tables/a.csv"] = b"text\nz\n"
    with pytest.raises(ImportFailed) as caught:
        from_hub(hub, tmp_path, "hf:org/model:tables/a.csv")
    assert (caught.value.code, caught.value.permanent) == ("wrong_hash", False)


@pytest.mark.parametrize("text", ["hf:model", "hf:a/b/c", "hf:a/b@", "hf:a/b:", "hf:", "hub:a/b"])
def test_sources_that_are_none(text: str) -> None:
    with pytest.raises(ImportFailed) as caught:
        parse_hub_source(text)
    assert caught.value.code == "bad_source"


def test_a_repository_of_scripts_is_refused() -> None:
    files = {"set.py": HubFile("set.py", 1, None, None), "README.md": HubFile("README.md", 1, None, None)}
    with pytest.raises(ImportFailed, match="not run"):
        chosen_files(files, None)


def test_the_only_data_file_needs_no_choice() -> None:
    files = {name: HubFile(name, 1, None, None) for name in ("README.md", "questions.csv", ".hidden.json")}
    assert [file.path for file in chosen_files(files, None)] == ["questions.csv"]
