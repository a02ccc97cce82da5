"""Blocks of lines, read and looked at ahead of those who take them, on every core."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from dataset_svc.checks.quick.look import Look, look
from dataset_svc.checks.quick.plan import Plan, Row, plan_for
from dataset_svc.readers.line_blocks import Block

_THREADS = min(4, os.cpu_count() or 1)  # a block and its columns take about 10 MB each
_AHEAD, _AHEAD_BYTES = _THREADS + 1, 4 << 20  # blocks at most; of larger ones fewer

_LARGEST = 2 << 20  # of a row that is larger, a look would take twenty times its bytes

Looked = tuple[Block, Look | None]
_Task = tuple[Block, Future[Look | None]]


class Looks:
    """Looks at blocks of rows of the format `name`, as soon as it has learned from a good row what they look like."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._plan: Plan | None = None
        self._rows = self._size = 0
        self.spelled = True
        """Whether the prose of the blocks that are still to be looked at is wanted."""

    def learn(self, row: Row) -> None:
        """Expect rows like this one, which is good, from now on."""
        self._plan = plan_for(self._name, row)

    def of(self, blocks: Iterator[Block], rows: int) -> Generator[Looked]:
        """Each block with what is known of it, in order; `rows` rows stand before them. Raises what reading raises,
        once the blocks before it were taken."""
        self._rows = rows
        with ThreadPoolExecutor(1, "read") as reader, ThreadPoolExecutor(_THREADS, "look") as lookers:
            tasks: deque[Future[_Task | None]] = deque()
            while True:
                while len(tasks) < self._ahead():
                    tasks.append(reader.submit(self._next, blocks, lookers))
                task = tasks.popleft().result()
                if task is None:
                    return
                yield task[0], task[1].result()

    def correct(self, by: int) -> None:
        """So many more rows stood before the last block than was thought."""
        self._rows += by

    def _ahead(self) -> int:
        """How many blocks to have at once, by the size of the last that was read."""
        return max(1, min(_AHEAD, _AHEAD_BYTES // max(1, self._size)))

    def _next(self, blocks: Iterator[Block], lookers: ThreadPoolExecutor) -> _Task | None:
        block = next(blocks, None)
        if block is None:
            return None
        self._size = len(block.data)
        first_row, self._rows = self._rows, self._rows + block.newlines
        return block, lookers.submit(_look, block, self._plan, first_row, self.spelled)


def _look(block: Block, plan: Plan | None, first_row: int, spelled: bool) -> Look | None:
    if plan is None or len(block.data) > _LARGEST:
        return None
    return look(block, plan, first_row, spelled=spelled)
