"""The public SDK: `from kargah import Client`."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from kargah.clients.chat import Chat
from kargah.clients.config import ClientSettings
from kargah.clients.datasets import Datasets
from kargah.clients.hub import Hub
from kargah.clients.jobs import Jobs
from kargah.clients.models import Models
from kargah.clients.queue import Queue
from kargah.clients.transport import Transport


class Client:
    """A connection to a Kargah gateway.

    `url` defaults to `KARGAH_URL`, then to http://127.0.0.1:8080; `timeout` is in seconds per request.

    >>> with Client() as client:
    ...     job = client.jobs.submit("my run", {"baseModel": "smollm2", "dataset": "persian_qa"})
    ...     client.jobs.wait(job.id)
    """

    def __init__(self, url: str | None = None, *, timeout: float | None = None) -> None:
        settings = ClientSettings()
        self.transport = Transport(url or settings.url, timeout or settings.timeout)
        self.jobs = Jobs(self.transport)
        self.datasets = Datasets(self.transport)
        self.models = Models(self.transport)
        self.hub = Hub(self.transport)
        self.queue = Queue(self.transport)
        self.chat = Chat(self.transport)

    def status(self) -> dict[str, Any]:
        """Endpoints, versions and health of the stack, as `kargah status --json` prints them."""
        answer: dict[str, Any] = self.transport.send("GET", "/api/status").json()
        return answer

    def close(self) -> None:
        self.transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
