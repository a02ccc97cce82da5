"""What agent and zygote say to each other: one JSON packet per message on a SEQPACKET socket pair."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

PACKET_BYTES = 65536
_LAUNCH_FDS = 2


class Packet(BaseModel):
    """Both ends are of one release: an unknown field is a bug and is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Launch(Packet):
    """Fork and run; two file descriptors ride along: control (child reads), messages (child writes)."""

    type: Literal["launch"] = "launch"
    run: str
    spec_path: str
    log_path: str


class Reap(Packet):
    """The agent has taken note of the exit and will send no more signals: the pid may be used again."""

    type: Literal["reap"] = "reap"
    run: str


class Ready(Packet):
    """Everything is imported. `threads` of the zygote (1 is safe to fork), `preload_seconds` it took."""

    type: Literal["ready"] = "ready"
    pid: int
    threads: int
    preload_seconds: float


class Unfit(Packet):
    """This zygote cannot fork trainers (an import failed, or a GPU context exists); it ends."""

    type: Literal["unfit"] = "unfit"
    reason: str


class Started(Packet):
    """The child exists; `pid` is also its process group."""

    type: Literal["started"] = "started"
    run: str
    pid: int


class Exited(Packet):
    """The child ended: exit code, or minus the signal. It stays a zombie until `reap`."""

    type: Literal["exited"] = "exited"
    run: str
    status: int


class Refused(Packet):
    """The launch did not happen."""

    type: Literal["refused"] = "refused"
    run: str
    reason: str


Request = Annotated[Launch | Reap, Field(discriminator="type")]
Reply = Annotated[Ready | Unfit | Started | Exited | Refused, Field(discriminator="type")]
_request: TypeAdapter[Request] = TypeAdapter(Request)
_reply: TypeAdapter[Reply] = TypeAdapter(Reply)


def send(channel: socket.socket, packet: Packet, fds: Sequence[int] = ()) -> None:
    """Send one packet with `fds`. Raises OSError when the other end is gone."""
    socket.send_fds(channel, [packet.model_dump_json().encode()], list(fds))


def receive_request(channel: socket.socket) -> tuple[Request, list[int]] | None:
    """The next request and its file descriptors (now the caller's to close), None when the agent is gone."""
    data, fds, _flags, _address = socket.recv_fds(channel, PACKET_BYTES, _LAUNCH_FDS)
    if not data:
        return None
    for fd in fds:
        os.set_inheritable(fd, False)
    return _request.validate_json(data), list(fds)


def receive_reply(channel: socket.socket) -> Reply | None:
    """The next reply, None when the zygote is gone."""
    data = channel.recv(PACKET_BYTES)
    return _reply.validate_json(data) if data else None
