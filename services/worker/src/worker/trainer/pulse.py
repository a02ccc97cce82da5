"""Signs of life from inside the work, and the moments at which a pause or a drain is noticed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from kargah.contracts.runs import ProgressMessage
from worker.trainer.context import RunContext
from worker.trainer.errors import Interruption

_LISTEN_SECONDS = 0.2
_PROGRESS_SECONDS = 1.5


class Pulse:
    """`beat` is called from everywhere that work is done: it costs a clock reading unless something is due.

    A beat only comes out of work that goes on, so that a hang is silent and the agent sees it.
    """

    def __init__(self, context: RunContext, message: Callable[[], ProgressMessage]) -> None:
        self._context = context
        self._message = message
        self._listened = 0.0
        self._told = 0.0
        self.interruptible = False

    def follow(self, message: Callable[[], ProgressMessage]) -> None:
        """From now on, `message` says where the work stands."""
        self._message = message

    def beat(self, *_: Any) -> None:
        """Raises Interruption when a pause or drain waits and it may be served here."""
        now = time.monotonic()
        if now - self._listened >= _LISTEN_SECONDS:
            self._listened = now
            self.listen()
        if now - self._told >= _PROGRESS_SECONDS:
            self.tell()

    def listen(self) -> None:
        """As `beat`, at once."""
        ending = self._context.ending()
        if self.interruptible and ending is not None and ending != "stop":
            raise Interruption(ending)

    def tell(self) -> None:
        """Send the progress now."""
        self._told = time.monotonic()
        self._context.progress(self._message())

    def watch(self, layers: list[nn.Module]) -> None:
        """Beat whenever a layer is entered, and whenever its gradients arrive."""
        for layer in layers:
            layer.register_forward_pre_hook(self._entered)

    def _entered(self, module: nn.Module, args: Any) -> None:
        self.beat()
        if args and isinstance(args[0], Tensor) and args[0].requires_grad:
            args[0].register_hook(self._left)  # type: ignore[no-untyped-call]

    def _left(self, gradient: Tensor) -> None:
        self.beat()
