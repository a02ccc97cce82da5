"""Bundles from one platform to another: signed, verified to the last byte, and the same however often."""

from __future__ import annotations

import base64
import io
import json
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import pytest

from kargah.adapters.minio_store import MinioStore
from kargah.clients.bundles import keys
from kargah.clients.bundles.archive import ArchiveReader, write_archive
from kargah.clients.bundles.errors import BundleRefused
from kargah.clients.bundles.export import export_dataset, export_model
from kargah.clients.bundles.importing import Imported, import_bundle
from kargah.clients.bundles.keys import PrivateKey
from kargah.clients.bundles.manifest import MANIFEST, SIGNATURE
from kargah.clients.client import Client
from kargah.clients.transport import ApiError
from kargah.contracts.datasets import GivenSplits, HashSplit, SplitRequest, VersionSplits
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.testing.dataset_service import dataset_service
from kargah.testing.fixtures import DatabaseUrlFor
from kargah.testing.serving import served
from registry.testing.bench import RegistryBench, adapter_files, model_files, registry_bench, sha256

MAKER = PrivateKey(b"m" * 32, "the maker")
STRANGER = PrivateKey(b"s" * 32)
Members = list[tuple[tarfile.TarInfo, bytes]]


@pytest.fixture
def here(database_url_for: DatabaseUrlFor, object_store: MinioStore) -> Iterator[RegistryBench]:
    with registry_bench(database_url_for("registry"), object_store) as bench:
        yield bench


@pytest.fixture
def there(another_database_url_for: DatabaseUrlFor, another_object_store: MinioStore) -> Iterator[RegistryBench]:
    """Another platform: its own database and bucket."""
    with registry_bench(another_database_url_for("registry"), another_object_store) as bench:
        yield bench


@pytest.fixture
def clients(here: RegistryBench, there: RegistryBench) -> Iterator[tuple[Client, Client]]:
    with ExitStack() as stack:
        urls = [stack.enter_context(served(bench.registry.app)) for bench in (here, there)]
        yield stack.enter_context(Client(urls[0])), stack.enter_context(Client(urls[1]))


@pytest.fixture
def tuned(here: RegistryBench) -> dict[str, Any]:
    base = here.version("base", model_files(card="---\nlicense: mit\n---\n# base"))
    lineage = {"base_version_id": base["id"], "base_model": "base", "base_version": 1, "job_id": "job_1", "epochs": 2}
    return here.version("tuned", adapter_files(), lineage=lineage)


def bring(client: Client, path: Path, *trusted: PrivateKey) -> Imported:
    return import_bundle(client, path, [key.public for key in (trusted or (MAKER,))])


def test_an_adapter_arrives_with_its_base_and_its_history(
    clients: tuple[Client, Client], there: RegistryBench, tuned: dict[str, Any], tmp_path: Path
) -> None:
    clients[0].models.tag("tuned", add=["persian"])
    bundle, seen = tmp_path / "t.kargah", []
    manifest = export_model(
        clients[0], "tuned@1", bundle, MAKER, progress=lambda done, total: seen.append((done, total))
    )
    assert [model.name for model in manifest.models] == ["base", "tuned"]
    assert seen[-1][0] == seen[-1][1] == sum(manifest.blobs.values())
    taken = bring(clients[1], bundle)
    assert (taken.models, taken.signer.owner) == (["base@1", "tuned@1"], "the maker")
    arrived = clients[1].models.locate("tuned")
    assert arrived.base is not None and arrived.version.lineage["base_version_id"] == arrived.base.version.id
    assert arrived.version.lineage["epochs"] == 2 and arrived.version.tags == ["persian"]
    assert arrived.version.lineage["imported_from"]["version_id"] == tuned["id"]
    assert arrived.base.version.facts.license == "mit"
    assert {file.sha256 for file in arrived.version.files} == {sha256(data) for data in adapter_files().values()}
    again = bring(clients[1], bundle)
    assert again == taken and there.http.get("/api/models/tuned/versions").json["total"] == 1


def test_without_its_base_it_needs_the_base_there(
    clients: tuple[Client, Client], tuned: dict[str, Any], tmp_path: Path
) -> None:
    alone, base = tmp_path / "alone.kargah", tmp_path / "base.kargah"
    manifest = export_model(clients[0], "tuned", alone, MAKER, with_base=False)
    assert [model.name for model in manifest.models] == ["tuned"]
    with pytest.raises(BundleRefused, match="neither here nor in the bundle"):
        bring(clients[1], alone)
    export_model(clients[0], "base", base, MAKER)
    bring(clients[1], base)
    assert bring(clients[1], alone).models == ["tuned@1"]
    assert clients[1].models.locate("tuned").base is not None


def test_only_who_is_trusted_is_taken_in(
    clients: tuple[Client, Client], there: RegistryBench, tuned: dict[str, Any], tmp_path: Path
) -> None:
    bundle = tmp_path / "t.kargah"
    export_model(clients[0], "tuned", bundle, STRANGER)
    with pytest.raises(BundleRefused, match="not signed by a key that is trusted") as caught:
        bring(clients[1], bundle)
    assert caught.value.code == "not_trusted" and there.blobs() == set()
    assert bring(clients[1], bundle, MAKER, STRANGER).models == ["base@1", "tuned@1"]


def _changed(change: Callable[[Members], Members], source: Path, target: Path) -> Path:
    with tarfile.open(source) as archive:
        members = [(member, archive.extractfile(member).read()) for member in archive]  # type: ignore[union-attr]
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        for member, data in change(members):
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return target


def _other_manifest(members: Members) -> Members:
    info, data = members[0]
    return [(info, data.replace(b'"tuned"', b'"owned"')), *members[1:]]


def _other_weights(members: Members) -> Members:
    info, data = members[-1]
    return [*members[:-1], (info, bytes([data[0] ^ 1]) + data[1:])]


def _named(name: str, members: Members) -> Members:
    members[-1][0].name = name
    return members


def _link(members: Members) -> Members:
    info = tarfile.TarInfo(members[-1][0].name)
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return [*members[:-1], (info, b"")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_other_manifest, "not_trusted"),
        (_other_weights, "wrong_hash"),
        (lambda members: members[:-1], "incomplete"),
        (lambda members: [*members, members[-1]], "unexpected_member"),
        (lambda members: _named("../../etc/cron.d/x", members), "unexpected_member"),
        (lambda members: _named("blobs/" + "0" * 64, members), "unexpected_member"),
        (_link, "unexpected_member"),
        (lambda members: [members[1], members[0], *members[2:]], "no_bundle"),
        (lambda members: [(members[0][0], b"{}"), *members[1:]], "not_trusted"),
    ],
)
@pytest.mark.campaign
def test_whatever_was_changed_is_noticed(
    clients: tuple[Client, Client],
    there: RegistryBench,
    tuned: dict[str, Any],
    tmp_path: Path,
    change: Callable[[Members], Members],
    code: str,
) -> None:
    bundle = tmp_path / "t.kargah"
    export_model(clients[0], "tuned", bundle, MAKER)
    with pytest.raises(BundleRefused) as caught:
        bring(clients[1], _changed(change, bundle, tmp_path / "changed.kargah"))
    assert caught.value.code == code
    assert there.http.get("/api/models").json["total"] == 0


@pytest.mark.parametrize("path", ["../x.json", "/etc/passwd", "a/../../b.json"])
def test_path_tricks_of_a_trusted_maker_are_refused_too(
    clients: tuple[Client, Client], tuned: dict[str, Any], tmp_path: Path, path: str
) -> None:
    bundle = tmp_path / "t.kargah"
    export_model(clients[0], "tuned", bundle, MAKER)

    def trick(members: Members) -> Members:
        data = members[0][1].replace(b'"adapter_config.json"', json.dumps(path).encode())
        signature = json.dumps({"signature": MAKER.sign(data).hex()}).encode()
        assert [members[0][0].name, members[1][0].name] == [MANIFEST, SIGNATURE]
        return [(members[0][0], data), (members[1][0], signature), *members[2:]]

    with pytest.raises(BundleRefused) as caught:
        bring(clients[1], _changed(trick, bundle, tmp_path / "trick.kargah"))
    assert caught.value.code == "bad_manifest"


def test_cut_and_foreign_files_are_refused(
    clients: tuple[Client, Client], tuned: dict[str, Any], tmp_path: Path
) -> None:
    bundle, broken = tmp_path / "t.kargah", tmp_path / "broken.kargah"
    export_model(clients[0], "tuned", bundle, MAKER)
    data = bundle.read_bytes()
    for length in (0, 100, 3000, len(data) // 2):
        broken.write_bytes(data[:length])
        with pytest.raises(BundleRefused):
            bring(clients[1], broken)
    for content in (
        b"not a tar at all" * 100,
        _pax(b"9" * 5000 + b" path=a\n"),
        _pax(b"22 GNU.sparse.map=a,b\n") + data,
    ):
        broken.write_bytes(content)
        with pytest.raises(BundleRefused):
            bring(clients[1], broken)
    with pytest.raises(BundleRefused, match="there already"):
        export_model(clients[0], "tuned", bundle, MAKER)


def _pax(body: bytes) -> bytes:
    """A header of further attributes, as strange as `body`."""
    member = tarfile.TarInfo("x")
    member.type, member.size = tarfile.XHDTYPE, len(body)
    return member.tobuf() + body + bytes(-len(body) % tarfile.BLOCKSIZE)


def test_a_signature_of_brackets_is_refused() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for name, content in ((MANIFEST, b"{}"), (SIGNATURE, b"[" * 4096)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    stream.seek(0)
    with tarfile.open(fileobj=stream, mode="r|") as archive, pytest.raises(BundleRefused, match="signature"):
        ArchiveReader(archive, [MAKER.public])


def test_keys_are_made_read_and_never_overwritten(tmp_path: Path) -> None:
    made = keys.generate(tmp_path / "key", "site A")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert keys.read_private(tmp_path / "key") == made
    (public,) = keys.read_public(tmp_path / "key.pub")
    assert public == made.public and public.owner == "site A"
    assert public.verifies(made.sign(b"x"), b"x") and not public.verifies(made.sign(b"x"), b"y")
    assert not public.verifies(b"short", b"x")
    with pytest.raises(FileExistsError):
        keys.generate(tmp_path / "key", "site B")
    for text in ("", "kargah-ed25519", "kargah-ed25519 !!", "kargah-ed25519 AAAA", made.public.text()):
        (tmp_path / "bad").write_text(text)
        with pytest.raises(BundleRefused):
            keys.read_private(tmp_path / "bad")
    (tmp_path / "ring").write_text(f"# ours\n\n{made.public.text()}{MAKER.public.text()}")
    assert [key.id for key in keys.read_public(tmp_path / "ring")] == [made.public.id, MAKER.public.id]


@pytest.fixture(scope="module")
def datasets(postgres: EmbeddedPostgres, object_store_server: EmbeddedObjectStore) -> Iterator[Client]:
    """The dataset service as the process it is."""
    with dataset_service(postgres, object_store_server, {}) as service, Client(service.url) as client:
        yield client


def test_a_dataset_arrives_as_the_same_version(datasets: Client, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    lines = [json.dumps({"question": f"سوال {n}", "answer": f"پاسخ {n}"}, ensure_ascii=False) for n in range(250)]
    rows.write_text("\n".join(lines), encoding="utf-8")
    before = datasets.datasets.upload(rows, name="owner/qa")
    bundle = tmp_path / "qa.kargah"
    manifest = export_dataset(datasets, "owner/qa@1", bundle, MAKER)
    assert (manifest.datasets[0].rows, manifest.datasets[0].version) == (250, 1)
    assert bring(datasets, bundle).datasets == ["owner/qa@1"], "equal rows are one version"
    datasets.datasets.delete("owner/qa")
    assert bring(datasets, bundle).datasets == ["owner/qa@1"]
    assert datasets.datasets.get("owner/qa").latest.sha256 == before.sha256
    twin = manifest.datasets[0].model_copy(update={"name": "owner/twin"})
    both = manifest.model_copy(update={"datasets": [*manifest.datasets, twin]})
    with (tmp_path / "both.kargah").open("wb") as file:
        write_archive(file, both, MAKER, lambda _: nullcontext(iter([rows_of(bundle)])))
    assert bring(datasets, tmp_path / "both.kargah").datasets == ["owner/qa@1", "owner/twin@1"]


@pytest.mark.parametrize("way", ["hash", "repaired"])
def test_a_datasets_splits_statistics_and_lineage_come_along(datasets: Client, tmp_path: Path, way: str) -> None:
    name, rows = f"divided-{way}", tmp_path / "rows.jsonl"
    lines = [json.dumps({"text": f"كتاب {n}", "n": n}, ensure_ascii=False) for n in range(250)]
    rows.write_text("\n".join(lines), encoding="utf-8")
    datasets.datasets.upload(rows, name=name)
    before = datasets.datasets.split(name, SplitRequest(hash=HashSplit(test=0.2, validation=0.1, seed=3)))
    if way == "repaired":
        datasets.datasets.repair(name, ["arabic-letters"])
        before = datasets.datasets.get(name).latest
    bundle = tmp_path / "d.kargah"
    manifest = export_dataset(datasets, name, bundle, MAKER)
    assert before.splits is not None
    assert list(manifest.blobs) == [before.sha256, before.splits.sha256]
    datasets.datasets.delete(name)
    made = bring(datasets, bundle).datasets
    assert bring(datasets, bundle).datasets == made, "twice is once"
    after = datasets.datasets.get(name).latest
    assert (after.stats, after.splits, after.warnings) == (before.stats, before.splits, before.warnings)
    assert after.lineage is not None and after.lineage.imported_from is not None
    origin = after.lineage.imported_from
    assert (origin["version"], origin["version_id"], origin["key"]) == (before.version, before.id, MAKER.public.id)
    assert origin["lineage"]["version"] == before.version - 1


def test_places_of_splits_that_do_not_fit_are_refused(datasets: Client, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text":"a"}\n{"text":"b"}\n', encoding="utf-8")
    datasets.datasets.upload(rows, name="places")
    told = VersionSplits(kind="parts", names=["train", "validation", "test"], sha256="0" * 64)
    for places in (
        "!",
        "aa",
        base64.b64encode(zlib.compress(b"\0")).decode(),
        base64.b64encode(zlib.compress(b"\0\3")).decode(),
    ):
        with pytest.raises(ApiError) as refused:
            datasets.datasets.split("places", SplitRequest(given=GivenSplits(places=places, splits=told)))
        assert [error.field for error in refused.value.problem.errors] == ["given.places"]
    with pytest.raises(BundleRefused, match="number"):
        export_dataset(datasets, "places@production", tmp_path / "d.kargah", MAKER)
    with pytest.raises(ApiError, match="no splits"), datasets.datasets.stream_splits("places", 1):
        pass


def rows_of(bundle: Path) -> bytes:
    """The one blob of a bundle."""
    with tarfile.open(bundle) as archive:
        content = archive.extractfile(archive.getmembers()[-1])
        assert content is not None
        return content.read()
