"""Wakes the followers of a job when it changes: one listening connection for the whole process."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from kargah.db.listen import Listener
from kargah.domain.errors import Unavailable
from kargah.jobstore.history_repository import CHANNEL

_LISTEN_SECONDS = 5.0


class EventHub:
    """At most `capacity` followers at once: each holds a thread of the server, and others must be left.

    A wake-up may be lost (a reconnect, say): followers look for themselves every second or two.
    """

    def __init__(self, url: str, capacity: int) -> None:
        self._listener = Listener(url, [CHANNEL], application_name="kargah-events")
        self._free = threading.BoundedSemaphore(capacity)
        self._lock = threading.Lock()
        self._followers: defaultdict[str, set[threading.Event]] = defaultdict(set)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event-hub", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopped.set()
        self._listener.close()
        self._thread.join()

    @contextmanager
    def follow(self, job_id: str) -> Iterator[threading.Event]:
        """An event that is set whenever the job changed. Raises Unavailable when there are too many followers."""
        if not self._free.acquire(blocking=False):
            raise Unavailable(
                "Too many clients follow jobs live at the moment.",
                hint="Ask for the job itself every two seconds instead, or try again later.",
            )
        wake = threading.Event()
        try:
            with self._lock:
                self._followers[job_id].add(wake)
            yield wake
        finally:
            self._forget(job_id, wake)
            self._free.release()

    def _forget(self, job_id: str, wake: threading.Event) -> None:
        with self._lock:
            self._followers[job_id].discard(wake)
            if not self._followers[job_id]:
                del self._followers[job_id]

    def _run(self) -> None:
        while not self._stopped.is_set():
            changed = {one.payload for one in self._listener.wait(_LISTEN_SECONDS)}
            with self._lock:
                for job_id in changed & self._followers.keys():
                    for wake in self._followers[job_id]:
                        wake.set()
