"""The embedded servers and the test servers, for real: start, stop, crash, refuse strangers."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pika
import psycopg
import pytest
from minio import Minio
from minio.error import S3Error
from psycopg import errors

from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_home import UnusablePostgresFolder, open_home, remove_home
from kargah.embedded.postgres_roles import ensure_roles, grant_tables
from kargah.testing.servers import PrometheusServer, RabbitMQServer, server_folder
from kargah.testing.waiting import port_is_open

_PASSWORDS = {"gateway": "g/secret@1", "dataset_svc": "d", "worker": "w"}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with server_folder() as path:
        yield path


@pytest.fixture(scope="module")
def postgres_server(folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder)
    yield server.start()
    server.destroy()


@pytest.fixture
def postgres(postgres_server: EmbeddedPostgres) -> EmbeddedPostgres:
    """Running, whatever the test before did to it."""
    return postgres_server.start()


@pytest.fixture(scope="module")
def store_server(folder: Path) -> Iterator[EmbeddedObjectStore]:
    server = EmbeddedObjectStore(folder)
    yield server.start()
    server.destroy()


@pytest.fixture
def store(store_server: EmbeddedObjectStore) -> EmbeddedObjectStore:
    """Running, whatever the test before did to it."""
    return store_server.start()


@pytest.fixture(scope="module")
def rabbitmq(folder: Path) -> Iterator[RabbitMQServer]:
    server = RabbitMQServer(folder)
    yield server.start()
    server.kill()


def _fetch(dsn: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def _do(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn) as connection:
        for statement in statements:
            connection.execute(statement.encode())


class TestPostgres:
    def test_committed_rows_survive_stop_and_kill(self, postgres: EmbeddedPostgres) -> None:
        _do(postgres.superuser_dsn, "CREATE TABLE kept (i int)", "INSERT INTO kept VALUES (1)")
        postgres.stop()
        postgres.start()
        _do(postgres.superuser_dsn, "INSERT INTO kept SELECT generate_series(2, 500)")
        postgres.kill()
        postgres.start()
        assert _fetch(postgres.superuser_dsn, "SELECT count(*), max(i) FROM kept") == [(500, 500)]

    def test_starts_over_a_lock_file_with_the_id_of_a_stranger(self, postgres: EmbeddedPostgres) -> None:
        cluster = Path(str(_fetch(postgres.superuser_dsn, "SHOW data_directory")[0][0]))
        postgres.stop()
        (cluster / "postmaster.pid").write_text(f"{os.getppid()}\n{cluster}\n0\n0\n\n\n")
        assert postgres.start().alive()

    def test_a_new_object_finds_the_cluster_again(self, postgres: EmbeddedPostgres, folder: Path) -> None:
        _do(postgres.superuser_dsn, "CREATE TABLE found (i int)")
        postgres.stop()
        with EmbeddedPostgres(folder) as again:
            assert _fetch(again.superuser_dsn, "SELECT count(*) FROM found") == [(0,)]

    def test_is_checksummed_unicode_and_not_root(self, postgres: EmbeddedPostgres) -> None:
        query = "SELECT current_setting('data_checksums'), current_setting('server_encoding'), upper('é')"
        assert _fetch(postgres.superuser_dsn, query) == [("on", "UTF8", "É")]
        assert Path(f"/proc/{postgres.pid}").stat().st_uid != 0

    def test_nobody_enters_without_the_password(self, postgres: EmbeddedPostgres) -> None:
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(postgres.dsn("postgres", "kargah_admin", "guess"))

    def test_folder_that_only_its_owner_may_enter(self, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        server = EmbeddedPostgres(closed, settings={"fsync": "off"})
        with server:
            cluster = Path(str(_fetch(server.superuser_dsn, "SHOW data_directory")[0][0]))
        assert cluster.exists()
        assert cluster.is_relative_to(closed) == (os.geteuid() != 0)
        server.destroy()
        assert not cluster.exists()

    def test_data_folder_that_was_removed_and_made_again_begins_anew(self, tmp_path: Path) -> None:
        data = tmp_path / "closed" / "data"
        first = open_home(data)
        first.cluster.mkdir()
        shutil.rmtree(data)
        second = open_home(data)
        assert not second.cluster.exists()
        assert open_home(data) == second, "the folder is found again"
        shutil.rmtree(first.root, ignore_errors=True)
        remove_home(data)
        assert not second.root.exists()

    def test_cluster_of_another_version_is_refused(self) -> None:
        with server_folder() as folder:
            cluster = folder / "postgres" / "cluster"
            cluster.mkdir(parents=True)
            if os.geteuid() == 0:
                os.chown(cluster, 65534, 65534)
            (cluster / "PG_VERSION").write_text("9\n")
            with pytest.raises(UnusablePostgresFolder, match="written by Postgres 9"):
                EmbeddedPostgres(folder).start()


class TestRoles:
    @pytest.fixture
    def dsn(self, postgres: EmbeddedPostgres) -> dict[str, str]:
        """A URL per role, in a database with one table of the gateway's."""
        for _ in range(2):  # setting up again must change nothing
            ensure_roles(postgres.superuser_dsn, "kargah", _PASSWORDS)
            grant_tables(postgres.superuser_dsn, "kargah", role="worker", schema="gateway")
        urls = {role: postgres.dsn("kargah", role, password) for role, password in _PASSWORDS.items()}
        _do(urls["gateway"], "CREATE TABLE IF NOT EXISTS jobs (id serial PRIMARY KEY, name text)")
        return urls

    def test_each_owner_works_in_its_own_schema(self, dsn: dict[str, str]) -> None:
        assert _fetch(dsn["gateway"], "SELECT schemaname FROM pg_tables WHERE tablename = 'jobs'") == [("gateway",)]
        assert _fetch(dsn["dataset_svc"], "SELECT current_schema()::text") == [("dataset_svc",)]

    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT * FROM gateway.jobs",
            "INSERT INTO gateway.jobs (name) VALUES ('x')",
            "CREATE TABLE gateway.mine (i int)",
            "CREATE TABLE public.mine (i int)",
            "CREATE SCHEMA mine",
        ],
    )
    def test_other_schemas_are_closed(self, dsn: dict[str, str], statement: str) -> None:
        with pytest.raises(errors.InsufficientPrivilege):
            _do(dsn["dataset_svc"], statement)

    def test_worker_reads_and_writes_rows_of_the_gateway(self, dsn: dict[str, str]) -> None:
        _do(dsn["gateway"], "DROP TABLE IF EXISTS later", "CREATE TABLE later (id serial, name text)")
        for table in ("jobs", "gateway.later"):
            _do(dsn["worker"], f"INSERT INTO {table} (name) VALUES ('a')", f"UPDATE {table} SET name = 'b'")
            assert ("b",) in _fetch(dsn["worker"], f"SELECT name FROM {table}")
            _do(dsn["worker"], f"DELETE FROM {table}")

    @pytest.mark.parametrize("statement", ["DROP TABLE jobs", "ALTER TABLE jobs ADD x int", "TRUNCATE jobs"])
    def test_worker_leaves_their_shape_alone(self, dsn: dict[str, str], statement: str) -> None:
        with pytest.raises(errors.InsufficientPrivilege):
            _do(dsn["worker"], statement)

    def test_a_changed_password_replaces_the_old_one(self, postgres: EmbeddedPostgres, dsn: dict[str, str]) -> None:
        ensure_roles(postgres.superuser_dsn, "kargah", {"dataset_svc": "new"})
        assert _fetch(postgres.dsn("kargah", "dataset_svc", "new"), "SELECT 1") == [(1,)]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(dsn["dataset_svc"])


def _put(client: Minio, name: str, content: bytes) -> None:
    client.put_object(bucket_name="bucket", object_name=name, data=io.BytesIO(content), length=len(content))


def _get(client: Minio, name: str) -> bytes:
    with client.get_object(bucket_name="bucket", object_name=name) as response:
        return response.read()


class TestObjectStore:
    @pytest.fixture
    def client(self, store: EmbeddedObjectStore) -> Minio:
        client = store.client()
        if not client.bucket_exists(bucket_name="bucket"):
            client.make_bucket(bucket_name="bucket")
        return client

    def test_gives_back_what_was_put_in_parts(self, client: Minio) -> None:
        content = os.urandom(11 << 20)  # three parts of at least 5 MiB each, the last one shorter
        _put(client, "folder/big", content)
        assert _get(client, "folder/big") == content
        part = client.get_object(bucket_name="bucket", object_name="folder/big", offset=5_000_000, length=1000)
        with part as response:
            assert response.read() == content[5_000_000:5_001_000]

    def test_presigned_url_needs_no_key(self, client: Minio, store: EmbeddedObjectStore) -> None:
        _put(client, "shared", "سلام".encode())
        signed = client.presigned_get_object(bucket_name="bucket", object_name="shared")
        assert httpx.get(signed).text == "سلام"
        assert httpx.get(f"{store.url}/bucket/shared").status_code == 403

    def test_wrong_secret_is_refused(self, client: Minio, store: EmbeddedObjectStore) -> None:
        _put(client, "private", b"x")
        stranger = Minio(
            endpoint=store.endpoint, access_key=store.access_key, secret_key="guess", secure=False, region="us-east-1"
        )
        with pytest.raises(S3Error) as refused:
            stranger.stat_object(bucket_name="bucket", object_name="private")
        assert refused.value.response.status == 403

    def test_inner_file_server_is_closed(self, client: Minio, folder: Path) -> None:
        _put(client, "private", b"x")
        ports = httpx.Response(200, content=(folder / "object-store/ports.json").read_bytes()).json()
        inner = httpx.get(f"http://127.0.0.1:{ports['filer.port']}/buckets/bucket/private")
        assert inner.status_code == 401

    def test_upload_to_a_missing_bucket_is_refused(self, client: Minio) -> None:
        with pytest.raises(S3Error, match="NoSuchBucket"):
            client.put_object(bucket_name="missing-bucket", object_name="x", data=io.BytesIO(b"x"), length=1)

    def test_acknowledged_objects_survive_a_kill(self, client: Minio, store: EmbeddedObjectStore) -> None:
        for number in range(50):
            _put(client, f"kept/{number}", bytes([number]) * 10_000)
        address = store.endpoint
        store.kill()
        store.start()
        assert store.endpoint == address
        assert all(_get(client, f"kept/{number}") == bytes([number]) * 10_000 for number in range(50))

    def test_a_new_object_finds_the_objects_again(
        self, client: Minio, store: EmbeddedObjectStore, folder: Path
    ) -> None:
        _put(client, "again", b"here")
        store.stop(grace=0.5)
        assert not port_is_open(store.port)
        with EmbeddedObjectStore(folder) as again:
            assert _get(again.client(), "again") == b"here"
            again.kill()

    def test_keys_are_private(self, store: EmbeddedObjectStore, folder: Path) -> None:
        secrets = [folder / "object-store" / name for name in ("secret-key", "s3.json", "security.toml")]
        assert [path.stat().st_mode & 0o777 for path in secrets] == [0o600] * 3


@pytest.mark.campaign
def test_confirmed_message_survives_a_restart_of_rabbitmq(rabbitmq: RabbitMQServer) -> None:
    durable = pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent)
    with pika.BlockingConnection(pika.URLParameters(rabbitmq.amqp_url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("kept", durable=True)
        channel.basic_publish("", "kept", b"job 1", durable, mandatory=True)
    rabbitmq.restart()
    with pika.BlockingConnection(pika.URLParameters(rabbitmq.amqp_url)) as connection:
        _, _, body = connection.channel().basic_get("kept", auto_ack=True)
    assert body == b"job 1"


@pytest.mark.campaign
def test_management_answers_for_its_user_only(rabbitmq: RabbitMQServer) -> None:
    assert httpx.get(f"{rabbitmq.management_url}/api/overview").json()["product_name"] == "RabbitMQ"
    assert httpx.get(f"http://127.0.0.1:{httpx.URL(rabbitmq.management_url).port}/api/overview").status_code == 401


@pytest.mark.campaign
def test_prometheus_scrapes_and_answers(rabbitmq: RabbitMQServer, folder: Path) -> None:
    with PrometheusServer(folder, {"rabbitmq": rabbitmq.prometheus_url}) as prometheus:
        (sample,) = prometheus.wait_for('up{job="rabbitmq"} == 1')
        assert sample.labels["job"] == "rabbitmq"
        assert prometheus.query("1 + 1")[0].value == 2
