"""`client.chat`: talk to an installed or fine-tuned model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from kargah.clients.transport import Transport, place

_FIRST_TOKEN_TIMEOUT = 600.0


class Chat:
    """Chat completions over the OpenAI-compatible endpoint. Every call may raise ApiError or Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def find(self, model: str) -> str:
        """The model's id, if it can be talked to; a refusal is an ApiError."""
        answer = self._transport.send("GET", f"/v1/models/{place(model)}")
        return str(answer.json()["id"])

    def stream(self, model: str, messages: list[dict[str, str]], **options: Any) -> Iterator[str]:
        """Pieces of the answer as they are generated. `options`: temperature, top_p, max_tokens, seed, stop."""
        body = {"model": model, "messages": messages, "stream": True, **options}
        with self._transport.stream(
            "POST", "/v1/chat/completions", json=body, timeout=_FIRST_TOKEN_TIMEOUT
        ) as response:
            for line in response.iter_lines():
                data = line.removeprefix("data:").strip()
                if not line.startswith("data:"):
                    continue
                if data == "[DONE]":
                    return
                yield json.loads(data)["choices"][0]["delta"].get("content") or ""

    def complete(self, model: str, messages: list[dict[str, str]], **options: Any) -> str:
        """The whole answer."""
        return "".join(self.stream(model, messages, **options))
