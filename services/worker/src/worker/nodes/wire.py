"""What node 0 of a run and each of the others say to each other, over one TCP connection that lasts as long as the run.

Both prove that they have the secret of the run, and node 0 that what it asks for is its own; nothing is encrypted.
Its end, however it comes about, ends the run on both sides.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import time
from dataclasses import dataclass
from typing import Any

LEFT = b"left"
"""The last line of a node whose ranks have all ended well. Otherwise it is why they failed, as JSON, or nothing."""
_LONGEST = 4 << 20
_ANSWER_SECONDS = 5.0
# A machine that is switched off says nothing: it counts as gone after about half a minute.
_KEEPALIVE = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 4}


class Stranger(Exception):
    """The other end did not prove that it belongs to the run, or did not speak as one that does."""


def key_of(secret: str, run: str) -> str:
    """What the secret of a group of nodes becomes for one run, so that its trainer does not learn the secret."""
    return _proof(secret, "run", run)


def address_of(text: str) -> tuple[str, int]:
    """`host:port`. Raises ValueError."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


@dataclass(frozen=True)
class Invited:
    """What a node has been asked to do: `plan` is JSON. `connection` is open and has no time limit."""

    connection: socket.socket
    plan: str


def admit(connection: socket.socket, run: str, key: str) -> str:
    """Node 0: let the other end prove itself; what `invite` needs. Raises Stranger, OSError."""
    nonce = secrets.token_hex(16)
    _send(connection, {"run": run, "nonce": nonce})
    answer = _receive(connection, _ANSWER_SECONDS)
    theirs = _text(answer, "nonce")
    _require(_text(answer, "proof"), _proof(key, "join", nonce, theirs))
    return f"{nonce}.{theirs}"


def invite(connection: socket.socket, key: str, nonces: str, plan: str) -> None:
    """Node 0: say what is to be done. Raises OSError."""
    _send(connection, {"plan": plan, "proof": _proof(key, "plan", nonces, plan)})
    _keep(connection)


def join(connection: socket.socket, secret: str, seconds: float) -> Invited:
    """Another node: wait at most `seconds` for what is to be done. Raises Stranger, OSError."""
    hello = _receive(connection, _ANSWER_SECONDS)
    key, nonce = key_of(secret, _text(hello, "run")), secrets.token_hex(16)
    _send(connection, {"nonce": nonce, "proof": _proof(key, "join", _text(hello, "nonce"), nonce)})
    invitation = _receive(connection, seconds)
    plan = _text(invitation, "plan")
    _require(_text(invitation, "proof"), _proof(key, "plan", f"{hello['nonce']}.{nonce}", plan))
    _keep(connection)
    return Invited(connection, plan)


def _keep(connection: socket.socket) -> None:
    connection.settimeout(None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE.items():
        connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _proof(key: str, *parts: str) -> str:
    return hmac.new(key.encode(), json.dumps(parts).encode(), "sha256").hexdigest()


def _require(given: str, wanted: str) -> None:
    # JSON may hold halves of characters, which strict UTF-8 refuses.
    if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode()):
        raise Stranger("the secrets differ")


def _text(message: dict[str, Any], name: str) -> str:
    if not isinstance(message.get(name), str):
        raise Stranger(f"no {name}")
    return str(message[name])


def _send(connection: socket.socket, message: dict[str, str]) -> None:
    connection.settimeout(_ANSWER_SECONDS)
    connection.sendall(json.dumps(message).encode() + b"\n")


def _receive(connection: socket.socket, seconds: float) -> dict[str, Any]:
    """What one line says, which is to be there within `seconds`."""
    try:
        message = json.loads(_line(connection, time.monotonic() + seconds))
    except (ValueError, RecursionError) as error:  # the latter for brackets by the thousand
        raise Stranger("it is no JSON") from error
    if not isinstance(message, dict):
        raise Stranger("it is no object")
    return message


def _line(connection: socket.socket, until: float) -> bytes:
    """One line, and not a byte of what follows it: nothing does until the other end has been answered. The deadline is
    the whole line's: who sends a byte now and then does not put it off."""
    data = b""
    while not data.endswith(b"\n"):
        if (left := until - time.monotonic()) <= 0:
            raise Stranger("it takes too long")
        connection.settimeout(left)
        more = connection.recv(65_536)
        if not more or len(data) > _LONGEST:
            raise Stranger("it broke off")
        data += more
    return data
