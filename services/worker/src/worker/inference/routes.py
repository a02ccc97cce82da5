"""`/v1`: models and chat completions."""

from __future__ import annotations

from contextlib import ExitStack

from flask import Response

from kargah.access.roles import Permission
from kargah.web.api import Api
from worker.inference.catalogue import Catalogue
from worker.inference.chat import ChatService
from worker.inference.client_socket import watch_client
from worker.inference.schemas import ChatCompletion, ChatRequest, ErrorAnswer, ModelCard, ModelList

_BODY_BYTES = 8 << 20
_STREAM = "text/event-stream"
_HEADERS = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}


def chat_routes(api: Api, chat: ChatService, catalogue: Catalogue) -> None:
    """Add the routes to `api`."""

    @api.get("/v1/models", returns=ModelList, errors=ErrorAnswer, tags=["models"])
    def list_models() -> ModelList:
        """Models that can be talked to, newest first"""
        return ModelList(
            data=[
                ModelCard(id=model.name, created=int(model.latest.created_at.timestamp()))
                for model in catalogue.models()
            ]
        )

    @api.get("/v1/models/<path:model_id>", returns=ModelCard, errors=ErrorAnswer, tags=["models"])
    def get_model(model_id: str) -> ModelCard:
        """One model: `name`, or `name@2` or `name@production` for a version"""
        version = catalogue.locate(model_id).version
        return ModelCard(id=model_id, created=int(version.created_at.timestamp()))

    @api.post(
        "/v1/chat/completions",
        returns=ChatCompletion,
        streams=_STREAM,
        errors=ErrorAnswer,
        needs=Permission.READ,
        body=ChatRequest,
        body_limit=_BODY_BYTES,
        tags=["chat"],
    )
    def create_chat_completion(body: ChatRequest) -> ChatCompletion | Response:
        """Answer a conversation; with `stream` as server-sent events that end with `data: [DONE]`"""
        with ExitStack() as hold:
            answer = chat.begin(body, hold)
            if not body.stream:
                return answer.whole(watch_client())
            response = Response(answer.events(), content_type=_STREAM, headers=_HEADERS)
            # Also when the stream is never begun: the turn goes back when the response is closed.
            response.call_on_close(hold.pop_all().close)
            return response
