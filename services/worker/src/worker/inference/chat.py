"""A chat request becomes an answer, whole or as a stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from kargah.domain.errors import DomainError
from kargah.domain.ids import new_id
from kargah.formats.base import Turn
from kargah.telemetry.logging import get_logger
from worker.inference.catalogue import Catalogue
from worker.inference.errors import error_json
from worker.inference.metrics import InferenceMetrics
from worker.inference.pool import ModelPool
from worker.inference.schemas import (
    ChatChunk,
    ChatCompletion,
    ChatRequest,
    Choice,
    ChunkChoice,
    Delta,
    Message,
    Usage,
)

if TYPE_CHECKING:
    from worker.inference.generation import Outcome
    from worker.inference.language_model import LanguageModel

_log = get_logger(__name__)
_USUAL_TOKENS, _USUAL_TOKENS_ON_CPU = 512, 256


class ClientGone(DomainError):
    """Nobody waits for the answer any more."""

    status = HTTPStatus.REQUEST_TIMEOUT
    code = "client_gone"


@dataclass(frozen=True)
class ChatService:
    """Answers one request per model at a time."""

    catalogue: Catalogue
    pool: ModelPool[LanguageModel]
    metrics: InferenceMetrics
    max_tokens: int | None

    def begin(self, request: ChatRequest, hold: ExitStack) -> Answer:
        """Have the model and its turn, which last until `hold` is closed. Raises what keeps it from answering."""
        began = time.monotonic()
        location = self.catalogue.locate(request.model)
        model = hold.enter_context(self.pool.turn(location))
        answer = Answer(request, model, self.metrics, began, self.max_tokens)
        hold.callback(answer.settle)
        return answer


class Answer:
    """One answer on its way."""

    def __init__(
        self,
        request: ChatRequest,
        model: LanguageModel,
        metrics: InferenceMetrics,
        began: float,
        max_tokens: int | None,
    ) -> None:
        from worker.inference.generation import Wish
        from worker.inference.sampling import Sampling

        self._request = request
        self._model = model
        self._metrics = metrics
        self._began = began
        self._id = new_id("chatcmpl")
        self._created = int(time.time())
        temperature = request.temperature if request.temperature is not None else model.default_temperature
        top_p = request.top_p if request.top_p is not None else model.default_top_p
        self._wish = Wish(
            prompt=model.prompt([Turn(_role(message.role), message.text) for message in request.messages]),
            sampling=Sampling(temperature, top_p, request.seed),
            max_tokens=request.max_completion_tokens
            or request.max_tokens
            or max_tokens
            or usual_tokens(model.device.type),
            stops=[*request.stops, *model.stop_texts],
        )
        self._outcome: Outcome | None = None
        self._failed = False

    def whole(self, client_gone: Callable[[], bool]) -> ChatCompletion:
        """The answer at once. Raises ClientGone as soon as nobody waits for it."""
        pieces = []
        for piece in self._pieces():
            pieces.append(piece)
            if client_gone():
                raise ClientGone("The client went away.")
        assert self._outcome is not None
        message = Message(content="".join(pieces))
        choice = Choice(message=message, finish_reason=self._outcome.finish_reason)
        return ChatCompletion(
            id=self._id, created=self._created, model=self._request.model, choices=[choice], usage=self._usage()
        )

    def events(self) -> Iterator[bytes]:
        """The answer as server-sent events. An error in the middle is told as one."""
        try:
            yield self._chunk(Delta(role="assistant", content=""))
            for piece in self._pieces():
                # Also sent when empty: writing is how a client that went away is noticed.
                yield self._chunk(Delta(content=piece)) if piece else b": \n\n"
            yield from self._last_chunks()
        except RuntimeError as error:  # out of memory and the like: the headers are long gone
            self._failed = True
            _log.error("generation failed", exc_info=error)
            yield b"data: " + error_json("The model failed in the middle of its answer.", 500, "internal") + b"\n\n"
        yield b"data: [DONE]\n\n"

    def settle(self) -> None:
        """Count it, however it ended."""
        if self._outcome is None:
            self._metrics.answers.labels("failed" if self._failed else "abandoned").inc()
        else:
            self._metrics.answers.labels(self._outcome.finish_reason).inc()
            self._metrics.tokens.labels("completion").inc(self._outcome.tokens)

    def _last_chunks(self) -> Iterator[bytes]:
        assert self._outcome is not None
        last = ChunkChoice(delta=Delta(), finish_reason=self._outcome.finish_reason)
        yield self._frame([last])
        if self._request.stream_options is not None and self._request.stream_options.include_usage:
            yield self._frame([], self._usage())

    def _pieces(self) -> Iterator[str]:
        from worker.inference.generation import generate

        self._metrics.tokens.labels("prompt").inc(len(self._wish.prompt))
        pieces = generate(self._model, self._wish)
        yield next(pieces)
        self._metrics.first_token.observe(time.monotonic() - self._began)
        self._outcome = yield from pieces

    def _chunk(self, delta: Delta) -> bytes:
        return self._frame([ChunkChoice(delta=delta)])

    def _frame(self, choices: list[ChunkChoice], usage: Usage | None = None) -> bytes:
        chunk = ChatChunk(id=self._id, created=self._created, model=self._request.model, choices=choices, usage=usage)
        return b"data: " + chunk.model_dump_json().encode() + b"\n\n"

    def _usage(self) -> Usage:
        prompt, completion = len(self._wish.prompt), self._outcome.tokens if self._outcome else 0
        return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


def usual_tokens(device: str) -> int:
    """The most that an answer has where nobody says: on a CPU a small model takes about half a minute for them."""
    return _USUAL_TOKENS if device == "cuda" else _USUAL_TOKENS_ON_CPU


def _role(role: str) -> str:
    return "system" if role == "developer" else role
