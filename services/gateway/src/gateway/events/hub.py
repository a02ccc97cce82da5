"""Live events for many clients: one listening connection, one reader and one sender for the whole process."""

from __future__ import annotations

import threading

from gateway.events.followers import Caller, Follower, Followers, Position
from gateway.events.keeper import Keeper
from gateway.events.reader import Reader
from kargah.db.engine import Engine
from kargah.db.listen import Listener
from kargah.jobstore.history_repository import CHANNEL
from kargah.web.outlet import Outlet
from kargah.web.push import Pusher
from kargah.web.sse import KEEP_ALIVE_SECONDS

_LISTEN_SECONDS = 5.0


class EventHub:
    """Its threads: one listens, one reads what there is to send, one sends what clients could not take at once, and one
    keeps connections alive and ends those of callers who may not read any more."""

    def __init__(
        self, engine: Engine, url: str, capacity: int, each: int, *, keep_alive_seconds: float = KEEP_ALIVE_SECONDS
    ) -> None:
        """At most `capacity` streams at once, `each` of one caller."""
        self.pusher = Pusher()
        self.followers = Followers(capacity, each)
        self._reader = Reader(engine, self.followers)
        self.keeper = Keeper(self.followers, keep_alive_seconds)
        self._listener = Listener(url, [CHANNEL], application_name="kargah-events")
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="event-hub", daemon=True)

    def start(self) -> None:
        self.pusher.start()
        self._reader.start()
        self.keeper.start()
        self._thread.start()

    def stop(self) -> None:
        """End the streams and the threads, and wait for them."""
        self._stopped.set()
        self._listener.close()
        self.keeper.stop()
        self._reader.stop()
        self.pusher.stop()
        if self._thread.ident is not None:
            self._thread.join()

    def follow(self, job_id: str, position: Position, caller: Caller) -> Outlet:
        """Where everything beyond `position` comes out, until the job has ended. Raises Busy when there are too
        many followers, TooMany when there are too many of this caller."""
        outlet = Outlet(on_room=lambda: self._reader.look([job_id]), on_close=lambda: self.followers.leave(follower))
        follower = Follower(job_id, position, caller, outlet)
        self.followers.enter(follower)
        self._reader.look([job_id])
        return outlet

    def _listen(self) -> None:
        while not self._stopped.is_set():
            changed = {one.payload for one in self._listener.wait(_LISTEN_SECONDS)}
            if followed := self.followers.followed(changed):
                self._reader.look(followed)
