"""The scope of a block, and of a new thread."""

from __future__ import annotations

import threading

from kargah.domain.scope import EVERY, LOCAL, NOBODY, current_project, project_of_new, project_scope


def test_a_block_has_its_project_and_gives_it_back() -> None:
    assert (current_project(), project_of_new()) == (EVERY, LOCAL)
    with project_scope("one"):
        with project_scope(NOBODY):
            assert (current_project(), project_of_new()) == (NOBODY, NOBODY)
        assert (current_project(), project_of_new()) == ("one", "one")
    assert current_project() == EVERY


def test_a_new_thread_begins_with_everything() -> None:
    seen: list[str] = []
    with project_scope("one"):
        thread = threading.Thread(target=lambda: seen.append(current_project()))
        thread.start()
        thread.join(10)
    assert seen == [EVERY]
