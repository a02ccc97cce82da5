"""Rules by which a request finds its route, and nothing more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from werkzeug.routing import Rule


class FindingRule(Rule):
    """From a path to an endpoint, and never back: no service makes an address of an endpoint's name.

    werkzeug compiles a function for the way back, twice for each rule: half of what building an app takes.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        return _no_way_back


def _no_way_back(*_: Any, **__: Any) -> NoReturn:
    raise NotImplementedError("addresses are not made of endpoints here")
