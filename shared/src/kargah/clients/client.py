"""The public SDK: `from kargah import Client`."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from kargah.clients.access import Access
from kargah.clients.chat import Chat
from kargah.clients.config import ClientSettings
from kargah.clients.credentials import request_headers
from kargah.clients.datasets import Datasets
from kargah.clients.hub import Hub
from kargah.clients.jobs import Jobs
from kargah.clients.models import Models
from kargah.clients.queue import Queue
from kargah.clients.storage import Storage
from kargah.clients.transport import Transport


class Client:
    """A connection to a Kargah gateway.

    `url` defaults to `KARGAH_URL`, then to http://127.0.0.1:8080; `timeout` is in seconds per request. `api_key`, where
    people must log in, to `KARGAH_API_KEY`, then to what `kargah login` kept for that URL.

    >>> with Client() as client:
    ...     job = client.jobs.submit("my run", {"baseModel": "smollm2", "dataset": "persian_qa"})
    ...     client.jobs.wait(job.id)
    """

    def __init__(self, url: str | None = None, *, timeout: float | None = None, api_key: str | None = None) -> None:
        settings = ClientSettings()
        place = url or settings.url
        headers = request_headers(settings, place, api_key)
        self.transport = Transport(place, timeout or settings.timeout, headers=headers)
        self.access = Access(self.transport)
        self.jobs = Jobs(self.transport)
        self.datasets = Datasets(self.transport)
        self.models = Models(self.transport)
        self.hub = Hub(self.transport)
        self.queue = Queue(self.transport)
        self.storage = Storage(self.transport)
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
