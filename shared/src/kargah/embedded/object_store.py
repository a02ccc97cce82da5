"""The embedded object store: SeaweedFS from a wheel, speaking S3 on loopback, under the data folder.

Only the S3 port is meant for use, with the access and secret key. SeaweedFS's inner HTTP ports ask for tokens
signed with keys kept in the folder; its inner gRPC ports trust whoever can reach loopback.
"""

from __future__ import annotations

import io
import os
import signal
from pathlib import Path
from types import TracebackType
from typing import Self

import urllib3
from minio import Minio
from minio.error import MinioException

from kargah.embedded.folder_lock import FolderLock
from kargah.embedded.kept_secret import kept_secret
from kargah.embedded.object_store_files import ObjectStoreFiles, weed_program
from kargah.embedded.ports import LOOPBACK
from kargah.embedded.process import Command, ManagedProcess

REGION = "us-east-1"
_READINESS_BUCKET = "kargah-readiness"
_LOCK_SECONDS = 10.0
_READY_SECONDS = 60.0
_PROBE_SECONDS = 1.5  # a write that comes before the volumes are known waits about 5 s; a second one does not
_STOP_SECONDS = 3.0  # a clean stop takes up to 30 s; acknowledged objects survive a kill just as well
_FLAGS = (
    "-volume.preStopSeconds=0",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-s3.iam=false",
    "-s3.autoCreateBucket=false",
    "-s3.allowDeleteBucketNotEmpty=false",
    "-admin.ui=false",
    "-webdav=false",
    "-master.telemetry=false",
)


class EmbeddedObjectStore:
    """One S3 server under `data_dir`. `port` None takes a free one at first and keeps it afterwards."""

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        self._files = ObjectStoreFiles(data_dir.resolve() / "object-store")
        self._log_file = data_dir / "logs" / "object-store.log"
        self._fixed_port = port
        self._ports: dict[str, int] = {}
        self._lock = FolderLock(self._files.root / "lock")
        self._process: ManagedProcess | None = None

    @property
    def port(self) -> int:
        """The S3 port on 127.0.0.1. Raises `RuntimeError` before the first start."""
        if not self._ports:
            raise RuntimeError("the embedded object store has no port before it is started")
        return self._ports["s3.port"]

    @property
    def pid(self) -> int:
        """Process id of the server. Raises `RuntimeError` before the first start."""
        if self._process is None:
            raise RuntimeError("the embedded object store was not started")
        return self._process.pid

    @property
    def endpoint(self) -> str:
        """`host:port`, as the minio client wants it."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def url(self) -> str:
        """`http://host:port`."""
        return f"http://{self.endpoint}"

    @property
    def access_key(self) -> str:
        """The only access key; made at the first start."""
        return kept_secret(self._files.access_key, length=20)

    @property
    def secret_key(self) -> str:
        """Its secret."""
        return kept_secret(self._files.secret_key, length=40)

    def client(self) -> Minio:
        """A client with full rights."""
        return Minio(
            endpoint=self.endpoint,
            access_key=self.access_key,
            secret_key=self.secret_key,
            secure=False,
            region=REGION,
        )

    def alive(self) -> bool:
        """Whether the server runs."""
        return self._process is not None and self._process.alive()

    def start(self) -> Self:
        """Start the server and return once it has stored an object and given it back.

        Raises `ProcessFailed` with the end of the server's log, or `FolderInUse`.
        """
        if self.alive():
            return self
        self._files.create_folders()
        self._lock.release()
        try:
            self._lock.acquire(_LOCK_SECONDS)
            self._start_once()
        except BaseException:
            self.kill()
            raise
        return self

    def keep_port(self) -> None:
        """Start again at the same address from now on: others have been told it."""
        self._fixed_port = self.port

    def stop(self, grace: float = _STOP_SECONDS) -> None:
        """Ask the server to end, kill it after `grace` seconds."""
        if self._process:
            self._process.stop(grace)
        self._clean_up()

    def kill(self) -> None:
        """SIGKILL, as a crash would: acknowledged objects survive."""
        if self._process:
            self._process.kill()
        self._clean_up()

    def destroy(self) -> None:
        """Stop, then delete all objects and keys."""
        self.kill()
        self._files.remove()

    def _start_once(self) -> None:
        self._ports = self._files.claim_ports(self._fixed_port)
        self._files.write_settings(self.access_key, self.secret_key)
        self._process = ManagedProcess(self._command())
        probe = _ReadinessProbe(self)
        self._process.wait_ready(probe.answers, _READY_SECONDS)

    def _command(self) -> Command:
        where = (f"-dir={self._files.data}", f"-s3.config={self._files.identities}")
        loopback = (f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}")
        ports = (f"-{flag}={port}" for flag, port in self._ports.items())
        return Command(
            name="embedded object store",
            arguments=[str(weed_program()), "-logtostderr=true", "mini", *where, *loopback, *ports, *_FLAGS],
            log_file=self._log_file,
            cwd=self._files.root,  # where it looks for security.toml
            env={"PATH": os.defpath, "HOME": str(self._files.root)},
            inherited=[self._lock.descriptor],
            orphan_signal=signal.SIGKILL,
        )

    def _clean_up(self) -> None:
        self._lock.release()
        self._files.remove_sockets(self._ports.values())

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _ReadinessProbe:
    """Puts and gets one small object; without the client's own retries, which would hide a dead server."""

    def __init__(self, store: EmbeddedObjectStore) -> None:
        self._client = Minio(
            endpoint=store.endpoint,
            access_key=store.access_key,
            secret_key=store.secret_key,
            secure=False,
            region=REGION,
            http_client=urllib3.PoolManager(timeout=_PROBE_SECONDS, retries=False),
        )

    def answers(self) -> bool:
        try:
            return self._round_trip(os.urandom(16))
        except (MinioException, urllib3.exceptions.HTTPError):
            return False

    def _round_trip(self, content: bytes) -> bool:
        client, bucket = self._client, _READINESS_BUCKET
        if not client.bucket_exists(bucket_name=bucket):
            client.make_bucket(bucket_name=bucket)
        client.put_object(bucket_name=bucket, object_name="probe", data=io.BytesIO(content), length=len(content))
        with client.get_object(bucket_name=bucket, object_name="probe") as response:
            return response.read() == content
