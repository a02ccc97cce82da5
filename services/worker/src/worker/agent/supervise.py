"""A running trainer: takes in what it says, passes on what the user wants, notices when it hangs or ends."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from kargah.contracts.runs import (
    CheckpointMessage,
    ControlMessage,
    DoneMessage,
    FailedMessage,
    LogMessage,
    OutputMessage,
    PhaseMessage,
    TrainerMessage,
)
from kargah.domain.job_state import Cause, Desired
from kargah.jobstore.values import Orders
from worker.agent.checkpoints import CheckpointNotStored
from worker.agent.drain import Drain
from worker.agent.ending import Ending, GivenBack, LastWords, Over, foreign_folder, hung, judge
from worker.agent.launcher import Trainer
from worker.agent.pipe import ControlWriter, MessageReader
from worker.agent.watch import Watch
from worker.agent.watchdog import Watchdog
from worker.agent.work_folder import lies_within

_INBOX = 1000
_MESSAGES_PER_STEP = 200
_WAIT_SECONDS = 0.05
_EXIT_SECONDS = 10.0
_END_OF_PIPE_SECONDS = 1.0
_CONTROL_OF = {Desired.PAUSE: "pause", Desired.STOP: "stop"}
_BY_ITSELF = frozenset({"interval", "epoch"})
Submit = Callable[[CheckpointMessage, int | None], Future[bool]]


class Supervisor:
    """Supervises one trainer from the attempt's main thread, which is the only one to touch its state."""

    def __init__(
        self, watch: Watch, trainer: Trainer, submit: Submit, drain: Drain, deadlines: Mapping[str, float]
    ) -> None:
        """`submit` hands a checkpoint over to be stored; `deadlines` as of Watchdog."""
        self._watch = watch
        self._trainer = trainer
        self._submit = submit
        self._drain = drain
        self._watchdog = Watchdog(deadlines)
        self._inbox: queue.Queue[TrainerMessage | None] = queue.Queue(_INBOX)
        self._closed = False
        self._reader = MessageReader(trainer.messages_fd, self._deliver)
        self._controls = ControlWriter(trainer.control_fd)
        self._said: set[str] = set()
        self._requested: int | None = None
        self._last: DoneMessage | FailedMessage | None = None
        self._output: OutputMessage | None = None
        self._ended = False
        self.uploads: list[tuple[CheckpointMessage, Future[bool]]] = []
        self.failed: list[CheckpointMessage] = []

    def run(self, observe: Callable[[TrainerMessage], None]) -> Ending:
        """Until the trainer has ended; how. `observe` sees each message. Raises Over (hung, out of time) and Lost."""
        try:
            while not self._ended:
                self._step(observe)
            return judge(LastWords(self._last, self._output, self._exit_status(), self._trainer.log_tail()))
        finally:
            self._closed = True
            self._trainer.child.release()
            self._controls.close()

    def settle_uploads(self) -> None:
        """Take note of uploads that are done; checkpoints that could not be stored go to `failed`. Raises Lost."""
        done = [(message, future) for message, future in self.uploads if future.done()]
        self.uploads = [pair for pair in self.uploads if pair not in done]
        self.failed += [message for message, future in done if not self._stored(message, future)]

    def _step(self, observe: Callable[[TrainerMessage], None]) -> None:
        self._watch.check()
        self._obey(self._watch.keeper.orders)
        self._check_time()
        self.settle_uploads()
        self._watch.flush_if_due()
        if not self._watch.collector.full():
            self._take(observe)
        else:
            self._watch.tick()

    def _obey(self, orders: Orders | None) -> None:
        if self._drain.wanted:
            self._say_once("drain", ControlMessage(action="drain"))
        if orders is None:
            return
        if orders.desired in _CONTROL_OF:
            action = _CONTROL_OF[orders.desired]
            self._say_once(action, ControlMessage.model_validate({"action": action}))
        if orders.checkpoint_request is not None:
            wish = f"checkpoint {orders.checkpoint_request}"
            if self._say_once(wish, ControlMessage(action="checkpoint")):
                self._requested = orders.checkpoint_request

    def _say_once(self, what: str, control: ControlMessage) -> bool:
        """Whether it was said now. A full pipe is tried again at the next step."""
        if what in self._said or not self._controls.send(control):
            return False
        self._said.add(what)
        return True

    def _check_time(self) -> None:
        if self._watchdog.overdue():
            raise Over(hung(self._watchdog.phase, self._watchdog.silent_for()))
        if self._drain.time_up():
            raise Over(GivenBack("the worker shut down before the trainer had saved", Cause.NOT_SAVED))

    def _take(self, observe: Callable[[TrainerMessage], None]) -> None:
        """What has arrived, or a short wait for it."""
        try:
            self._receive(self._inbox.get(timeout=_WAIT_SECONDS), observe)
            for _ in range(_MESSAGES_PER_STEP):
                self._receive(self._inbox.get_nowait(), observe)
        except queue.Empty:
            if self._trainer.child.poll() is not None and self._inbox.empty():
                # A descendant that left the group may hold the pipe open for ever.
                self._ended = self._ended or not self._reader.join(_END_OF_PIPE_SECONDS)

    def _receive(self, message: TrainerMessage | None, observe: Callable[[TrainerMessage], None]) -> None:
        if message is None:
            self._ended = True
            return
        if isinstance(message, CheckpointMessage | OutputMessage):
            self._check_folder(message.directory)
        self._watchdog.alive(message.phase if isinstance(message, PhaseMessage) else None)
        self._watch.collector.add(message)
        observe(message)
        match message:
            case CheckpointMessage():
                self._hand_over(message)
            case OutputMessage():
                self._output = message
            case DoneMessage() | FailedMessage():
                self._last = message

    def _check_folder(self, directory: str) -> None:
        if not lies_within(self._trainer.work_dir, directory):
            raise Over(foreign_folder(directory))

    def _hand_over(self, message: CheckpointMessage) -> None:
        """What was reported up to the checkpoint is stored before it can become visible: whoever resumes from it
        will not report those steps again."""
        self._watch.flush()
        serves = None
        if message.reason not in _BY_ITSELF:
            serves, self._requested = self._requested, None
        self.uploads.append((message, self._submit(message, serves)))

    def _stored(self, message: CheckpointMessage, future: Future[bool]) -> bool:
        error = future.exception()
        if isinstance(error, CheckpointNotStored):
            text = f"The checkpoint of step {message.step} could not be stored: {error}"
            self._watch.collector.add(LogMessage(level="error", message=text))
            code = "checkpoint_not_stored"
            self._watch.collector.event("checkpoint_failed", step=message.step, code=code, reason=str(error))
            return False
        self._watch.result_of(future)
        return True

    def _exit_status(self) -> int:
        """Its pipe is at its end: it should be gone in a moment, and is made to go if not."""
        until = time.monotonic() + _EXIT_SECONDS
        while (status := self._trainer.child.poll()) is None:
            self._watch.tick()
            if time.monotonic() > until:
                self._trainer.child.kill()
        return status

    def _deliver(self, message: TrainerMessage | None) -> None:
        """In the reader's thread: waits while the inbox is full, so that a flood slows the trainer down."""
        while not self._closed:
            try:
                return self._inbox.put(message, timeout=_END_OF_PIPE_SECONDS)
            except queue.Full:
                continue
