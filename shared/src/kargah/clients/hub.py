"""`client.hub`: the hub that models are installed from, and what is mirrored of it."""

from __future__ import annotations

from kargah.clients.transport import Transport, place
from kargah.contracts.mirrors import MirrorList
from kargah.contracts.upstream import HubModelView, HubSearch


class Hub:
    """Every call may raise ApiError (503 when the hub cannot be reached from the platform) or Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def search(self, text: str, *, limit: int = 20) -> HubSearch:
        """Models whose name matches, the most downloaded first."""
        return self._transport.ask(HubSearch, "GET", "/api/hub/search", params={"q": text, "limit": limit})

    def model(self, repo: str, *, revision: str | None = None) -> HubModelView:
        """A model, judged before anything of it is downloaded; `source` is what `jobs.install` takes."""
        query = {} if revision is None else {"revision": revision}
        return self._transport.ask(HubModelView, "GET", f"/api/hub/models/{place(repo)}", params=query)

    def mirrors(self) -> MirrorList:
        """Repositories that are mirrored, and how much of them is kept."""
        return self._transport.ask(MirrorList, "GET", "/api/hub/mirrors")

    def drop_mirror(self, kind: str, name: str) -> None:
        """Keep nothing more of a repository of the kind `models` or `datasets`."""
        self._transport.send("DELETE", f"/api/hub/mirrors/{place(kind)}/{place(name)}")
