"""The part of OpenAI's chat API that is served. What would change the answer and is not served is refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_MAX_MESSAGES = 2000
_MAX_STOPS = 4


class TextPart(BaseModel):
    """A piece of a message."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    """A turn of the conversation; `developer` is read as `system`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]
    name: str | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)


class StreamOptions(BaseModel):
    """`include_usage`: a last chunk tells the tokens."""

    model_config = ConfigDict(extra="ignore", strict=True)

    include_usage: bool = False


class ChatRequest(BaseModel):
    """`POST /v1/chat/completions`. Fields that only label a request are taken and not used."""

    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=())

    model: str = Field(min_length=1, max_length=300)
    messages: list[ChatMessage] = Field(min_length=1, max_length=_MAX_MESSAGES)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    seed: int | None = Field(default=None, ge=-(1 << 63), lt=1 << 63)
    stop: Annotated[str, Field(min_length=1, max_length=200)] | list[str] | None = None
    n: Annotated[int, Field(strict=True, ge=1, le=1)] | None = None
    frequency_penalty: Annotated[float, Field(ge=0, le=0)] | None = None
    presence_penalty: Annotated[float, Field(ge=0, le=0)] | None = None
    logprobs: Literal[False] | None = None
    response_format: dict[str, Any] | None = None
    tools: Annotated[list[Any], Field(max_length=0)] | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    store: bool | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None

    @property
    def stops(self) -> list[str]:
        return [self.stop] if isinstance(self.stop, str) else list(self.stop or [])

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.stops) > _MAX_STOPS or any(not 1 <= len(stop) <= 200 for stop in self.stops):
            raise ValueError(f"stop: at most {_MAX_STOPS} texts of 1 to 200 characters")
        if self.response_format is not None and self.response_format.get("type") != "text":
            raise ValueError("response_format: only text is served")
        return self


class ErrorDetail(BaseModel):
    """`param`: the field that is to blame, if one is."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorAnswer(BaseModel):
    """What went wrong, as OpenAI's clients read it."""

    error: ErrorDetail


class ModelCard(BaseModel):
    """An entry of `GET /v1/models`; `created` in epoch seconds."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "kargah"


class ModelList(BaseModel):
    """All models that can be talked to, newest first."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


class Usage(BaseModel):
    """In tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Message(BaseModel):
    """The answer."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    """`length`: it was cut at the most tokens allowed."""

    index: Literal[0] = 0
    message: Message
    logprobs: None = None
    finish_reason: Literal["stop", "length"]


class ChatCompletion(BaseModel):
    """The whole answer at once."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    system_fingerprint: None = None


class Delta(BaseModel):
    """What a chunk adds."""

    role: Literal["assistant"] | None = None
    content: str | None = None


class ChunkChoice(BaseModel):
    """`finish_reason` in the last one only."""

    index: Literal[0] = 0
    delta: Delta
    logprobs: None = None
    finish_reason: Literal["stop", "length"] | None = None


class ChatChunk(BaseModel):
    """One event of a stream."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | None = None
    system_fingerprint: None = None
