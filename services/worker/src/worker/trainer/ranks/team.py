"""The ranks of a run as each of them sees them. All methods but those that only compute are meetings: every rank calls
the same ones in the same order. With one rank nothing is sent and nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch._C._distributed_c10d import FileStore, Store, TCPStore

from worker.trainer.context import Action, RunContext
from worker.trainer.errors import Interruption, TrainingError
from worker.trainer.ranks.context import RankContext
from worker.trainer.ranks.shares import shares

Thing = TypeVar("Thing")
_ACTIONS: tuple[Action, ...] = ("pause", "stop", "checkpoint", "drain")
_BUCKET_BYTES = 32 << 20
# The agent's deadlines end what hangs; a meeting must outlast whatever one rank may do alone, such as sample answers.
_PATIENCE = timedelta(hours=2)
_CALLED = "kargah: leave"
_FIRST_PATIENCE = timedelta(minutes=10)


class Team:
    """Rank `rank` of `size`; rank 0 leads."""

    def __init__(self, context: RankContext | None = None) -> None:
        """Without a context it is a team of one."""
        self._context = context
        self._call: _Call | None = None
        self.rank = context.rank if context is not None else 0
        self.size = context.spec.devices if context is not None else 1

    @classmethod
    def gather_up(cls, context: RunContext, *, gpu: bool) -> Team:
        """Wait for all ranks of the run. Raises TrainingError when they do not compute on devices of one kind."""
        if not isinstance(context, RankContext):
            return cls()
        team = cls(context)
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        with team._meeting():
            store = _store(context, team.size)
            dist.init_process_group(backend, store=store, rank=team.rank, world_size=team.size, timeout=_PATIENCE)
        team._call = _Call(store)
        gpus = team._sum(int(gpu))
        if gpus not in (0, team.size):
            message = f"The job asks for {team.size} devices, and the worker has {gpus}."
            raise TrainingError("too_few_devices", message, "Submit it with fewer devices.")
        return team

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def share(self, things: Sequence[Thing], lengths: Sequence[int]) -> Sequence[Thing]:
        """This rank's share of a step, as long as the others' shares."""
        return things if self.size == 1 else [things[index] for index in shares(lengths, self.size)[self.rank]]

    def seed(self, seed: int, step: int) -> None:
        """Random numbers of a step (dropout) that differ among ranks and depend on nothing before the step: of several
        ranks there is then no state to be saved. One rank goes on with the state that it has."""
        if self.size > 1:
            mixed = np.random.SeedSequence([seed, step, self.rank]).generate_state(1, np.uint64)
            torch.manual_seed(int(mixed[0]))

    def meet(self, budget: int) -> int:
        """Agree on what the agent has asked rank 0 for; the least of the ranks' token budgets."""
        if self._context is None:
            return budget
        heard = self._context.heard()
        told = torch.tensor([*(int(action in heard) for action in _ACTIONS), -budget])
        self._reduce(told, dist.ReduceOp.MAX)
        *asked, least = told.tolist()
        self._context.agree(action for action, yes in zip(_ACTIONS, asked, strict=True) if yes)
        return -int(least)

    def decide(self, wish: Callable[[], bool]) -> bool:
        """Rank 0's wish, on every rank."""
        if self.size == 1:
            return wish()
        return self._sum(int(self.leads and wish())) > 0

    def least(self, number: int) -> int:
        """The least of the ranks' numbers."""
        if self.size == 1:
            return number
        return int(self._reduce(torch.tensor(number), dist.ReduceOp.MIN))

    def most(self, number: int) -> int:
        """The greatest of the ranks' numbers."""
        return -self.least(-number)

    def total(self, numbers: Tensor) -> Tensor:
        """The sum of the ranks' tensors."""
        return numbers if self.size == 1 else self._reduce(numbers, dist.ReduceOp.SUM)

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Every gradient becomes the sum of the ranks' gradients; a rank without one adds nothing."""
        if self.size == 1:
            return
        for bucket in _buckets(parameters):
            gradients = [torch.zeros_like(each) if each.grad is None else each.grad for each in bucket]
            flat = self._reduce(torch.cat([gradient.flatten() for gradient in gradients]), dist.ReduceOp.SUM)
            sums = flat.split_with_sizes([gradient.numel() for gradient in gradients])
            for parameter, summed in zip(bucket, sums, strict=True):
                parameter.grad = summed.view_as(parameter)

    def copy_leader(self, tensors: Iterable[Tensor]) -> None:
        """Every tensor becomes rank 0's."""
        if self.size == 1:
            return
        with torch.no_grad(), self._meeting():
            for tensor in tensors:
                dist.broadcast(tensor.detach(), 0)

    def gather(self, mine: Thing) -> list[Thing]:
        """The ranks' things, by rank."""
        if self.size == 1:
            return [mine]
        found: list[Thing | None] = [None] * self.size
        with self._meeting():
            dist.all_gather_object(found, mine)
        return [thing for thing in found if thing is not None]

    @contextmanager
    def leader_first(self) -> Iterator[None]:
        """Rank 0 does the block before the others, so that they find in the cache what it has made."""
        if not self.leads:
            self._wait()
        yield
        if self.leads:
            self._wait()

    @contextmanager
    def apart(self, *, whole: bool) -> Iterator[None]:
        """Around what ranks do without meeting, as each can that has a `whole` model: when the agent asks for an end,
        they leave the block as it is, and at the next meeting hear why."""
        if self._call is None or self._context is None or not whole:
            yield
            return
        with self._context.apart(self._call), suppress(Interruption):
            yield

    @contextmanager
    def lockstep(self) -> Iterator[None]:
        """Around work in which the ranks meet unseen, as those of a divided model do in every pass."""
        try:
            yield
        except RuntimeError as error:
            if self._context is None or not _is_of_meeting(error):
                raise
            raise self._context.broken(error) from error

    def disband(self) -> None:
        """The last meeting is over."""
        if self.size > 1:
            dist.destroy_process_group()

    def _wait(self) -> None:
        if self.size > 1:
            self._sum(0)

    def _sum(self, number: int) -> int:
        return int(self._reduce(torch.tensor(number), dist.ReduceOp.SUM))

    def _reduce(self, tensor: Tensor, how: dist.ReduceOp.RedOpType) -> Tensor:
        with self._meeting():
            dist.all_reduce(tensor, how)
        return tensor

    @contextmanager
    def _meeting(self) -> Iterator[None]:
        """A meeting fails when a rank is gone."""
        try:
            yield
        except RuntimeError as error:
            assert self._context is not None
            raise self._context.broken(error) from error


@dataclass(frozen=True)
class _Call:
    """A key in what the ranks first found each other by."""

    store: Store

    def make(self) -> None:
        self.store.set(_CALLED, "1")

    def was_made(self) -> bool:
        return bool(self.store.check([_CALLED]))


def _store(context: RankContext, size: int) -> Store:
    """What the ranks first find each other by."""
    meeting = context.meeting
    if meeting is None:
        return FileStore(str(Path(context.spec.work_dir) / "rendezvous"), size)
    return TCPStore(
        meeting.host,
        meeting.port,
        size,
        is_master=meeting.listen_fd is not None and context.rank == 0,
        timeout=_FIRST_PATIENCE,
        wait_for_workers=False,
        master_listen_fd=meeting.listen_fd if context.rank == 0 else None,
    )


def _is_of_meeting(error: RuntimeError) -> bool:
    """Gloo's errors have no type of their own, only its name in their text."""
    return isinstance(error, dist.DistError) or "gloo" in str(error).lower()


def _buckets(parameters: Iterable[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    """In order, of one type each, and few enough bytes that the copy beside the gradients is small."""
    bucket: list[nn.Parameter] = []
    size = 0
    for parameter in parameters:
        if bucket and (size >= _BUCKET_BYTES or parameter.dtype != bucket[0].dtype):
            yield bucket
            bucket, size = [], 0
        bucket.append(parameter)
        size += parameter.numel() * parameter.element_size()
    if bucket:
        yield bucket
