"""Places for large uploads: nobody has all of them."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from dataset_svc.datasets.turns import Turns
from kargah.access.principal import Principal, principal_scope
from kargah.access.roles import Role
from kargah.domain.errors import Busy

LARGE = 2 << 20


def _person(name: str, project: str) -> Principal:
    return Principal(f"user:{name}", name, Role.TRAINER, project)


def _take(turns: Turns, person: Principal, held: ExitStack) -> None:
    with principal_scope(person):
        held.enter_context(turns.place(LARGE))


def test_half_of_the_places_are_the_most_for_a_project_and_for_a_caller() -> None:
    turns = Turns(at_once=1, waiting=3)
    with ExitStack() as held:
        _take(turns, _person("a", "north"), held)
        _take(turns, _person("b", "north"), held)
        for person in (_person("c", "north"), _person("a", "north")):
            with pytest.raises(Busy, match="of this caller or project") as refused:
                _take(turns, person, held)
            assert refused.value.extra == {"seconds": 5}
        _take(turns, _person("a", "south"), held)
        with pytest.raises(Busy, match="of this caller or project"):
            _take(turns, _person("a", "west"), held)
        _take(turns, _person("d", "south"), held)
        with pytest.raises(Busy, match="as can be taken"):
            _take(turns, _person("e", "east"), held)
        with principal_scope(_person("f", "north")), turns.place(1 << 20):
            pass
    with ExitStack() as held:
        _take(turns, _person("a", "north"), held)
        _take(turns, _person("a", "north"), held)


def test_where_nobody_logs_in_all_places_are_everybodys() -> None:
    turns = Turns(at_once=1, waiting=2)
    with turns.place(LARGE), turns.place(None), turns.place(LARGE), pytest.raises(Busy), turns.place(LARGE):
        raise AssertionError("there was a place")
