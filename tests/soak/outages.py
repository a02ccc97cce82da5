"""Faults of the network, the broker and the object store."""

from __future__ import annotations

import time
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx

from tests.soak.proxy import FaultProxy
from tests.soak.servers import Servers
from tests.soak.stack import Stack

_QUEUE = "kargah.train"


def cut_amqp(stack: Stack, pick: float, refuse_seconds: float) -> bool:
    """Break the connections of one client of the broker, and refuse it new ones for a while; False if it had none."""
    proxies = [agent.amqp for agent in stack.agents] + stack.gateway_amqp
    connected = [proxy for proxy in proxies if proxy.connections]
    if not connected:
        return False
    proxy = connected[int(pick * len(connected))]
    proxy.set_mode("refuse" if refuse_seconds else "pass")
    found = proxy.cut()
    time.sleep(refuse_seconds)
    proxy.set_mode("pass")
    return found > 0


def purge_queue(servers: Servers) -> bool:
    """Drop every message of the queue; False when the broker cannot."""
    url = urlsplit(servers.rabbitmq.management_url)
    address = f"http://127.0.0.1:{url.port}/api/queues/%2F/{_QUEUE}/contents"
    try:
        answer = httpx.delete(address, auth=(url.username or "", url.password or ""), timeout=10.0, trust_env=False)
    except httpx.TransportError:
        return False
    return answer.status_code == HTTPStatus.NO_CONTENT


def fail_s3(proxy: FaultProxy, mode: str, seconds: float) -> None:
    """Let the object store fail in the way of `mode` for so long."""
    proxy.set_mode(mode)
    try:
        time.sleep(seconds)
    finally:
        proxy.set_mode("pass")
