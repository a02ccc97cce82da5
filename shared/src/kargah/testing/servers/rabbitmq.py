"""A private RabbitMQ node: its own ports, folder, cookie and name server, all on loopback."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

import pika
from pika.exceptions import AMQPError

from kargah.embedded.ports import LOOPBACK, free_ports
from kargah.embedded.process import Command, ManagedProcess
from kargah.testing.servers.programs import installed_program
from kargah.testing.waiting import port_is_open

_BIN = Path("/usr/lib/rabbitmq/bin")  # the programs on the path are wrappers that change user
_READY_SECONDS = 90.0
_STOP_SECONDS = 30.0
_USER = "kargah"

# Two, that sleep as soon as there is nothing to do: by default they would first spin for a while.
_SCHEDULERS = "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"


class RabbitMQServer:
    """One node under `data_dir`; ports, user and messages stay the same across restarts of this object.

    `settings` are extra lines of rabbitmq.conf, for example `{"consumer_timeout": "60000"}`.
    """

    def __init__(self, data_dir: Path, settings: dict[str, str] | None = None) -> None:
        self._dir = data_dir.resolve() / "rabbitmq"
        self._settings = settings or {}
        self._password = secrets.token_hex(16)
        self._amqp, self._management, self._metrics, self._distribution, self._names = free_ports(5)
        self._name_server: ManagedProcess | None = None
        self._node: ManagedProcess | None = None

    @property
    def amqp_url(self) -> str:
        """`amqp://` URL of the default virtual host, as an administrator."""
        return f"amqp://{_USER}:{self._password}@{LOOPBACK}:{self._amqp}/%2F"

    @property
    def management_url(self) -> str:
        """URL of the management API, with the credentials in it."""
        return f"http://{_USER}:{self._password}@{LOOPBACK}:{self._management}"

    @property
    def prometheus_url(self) -> str:
        """URL of the node's metrics."""
        return f"http://{LOOPBACK}:{self._metrics}/metrics"

    def alive(self) -> bool:
        """Whether the node's process runs."""
        return self._node is not None and self._node.alive()

    def start(self) -> Self:
        """Start the node; return once it has confirmed a message. Takes 5 to 10 seconds.

        Raises `ProcessFailed` with the end of the node's log, or `MissingServer`.
        """
        node = self.begin()
        try:
            node.wait_ready(self._confirms, _READY_SECONDS)
        except BaseException:
            self.kill()
            raise
        return self

    def begin(self) -> ManagedProcess:
        """Start the node, unless it runs, and do not wait: `start` does, later. Raises `MissingServer`."""
        if self._node is not None and self._node.alive():
            return self._node
        self._write_files()
        try:
            self._name_server = ManagedProcess(self._name_server_command())
            self._node = ManagedProcess(self._node_command())
        except BaseException:
            self.kill()
            raise
        return self._node

    def stop(self) -> None:
        """Clean stop: the node closes its connections and flushes."""
        self._end_all(_STOP_SECONDS)

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self._end_all(0.0)

    def restart(self) -> None:
        """Clean stop, then start on the same ports with the same durable queues and messages."""
        self.stop()
        self.start()

    def _end_all(self, grace: float) -> None:
        for process in (self._node, self._name_server):
            if process:
                process.stop(grace) if grace else process.kill()

    def _name_server_command(self) -> Command:
        """epmd. Left to itself the node would start one that outlives it."""
        program = installed_program("epmd")
        arguments = [str(program), "-port", str(self._names), "-address", LOOPBACK]
        return Command("epmd", arguments, self._dir / "log" / "epmd.log", self._dir, env=self._environment())

    def _node_command(self) -> Command:
        program = installed_program("rabbitmq-server", _BIN)
        log = self._dir / "log" / "console.log"
        return Command("RabbitMQ", [str(program)], log, self._dir, env=self._environment())

    def _environment(self) -> dict[str, str]:
        folder = str(self._dir)
        return {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "HOME": folder,
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": str(self._names),
            "RABBITMQ_NODENAME": "kargah@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-kernel inet_dist_use_interface {{127,0,0,1}} {_SCHEDULERS}",
            # Makes the start script become the node instead of its parent, so that signals reach the node.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _write_files(self) -> None:
        (self._dir / "log").mkdir(parents=True, exist_ok=True)
        settings = {**self._default_settings(), **self._settings}
        lines = [f"{name} = {value}\n" for name, value in settings.items()]
        (self._dir / "rabbitmq.conf").write_text("".join(lines), encoding="utf-8")
        (self._dir / "enabled_plugins").write_text("[rabbitmq_management,rabbitmq_prometheus].\n", encoding="utf-8")

    def _default_settings(self) -> dict[str, str]:
        return {
            "listeners.tcp.1": f"{LOOPBACK}:{self._amqp}",
            "management.tcp.ip": LOOPBACK,
            "management.tcp.port": str(self._management),
            "prometheus.tcp.ip": LOOPBACK,
            "prometheus.tcp.port": str(self._metrics),
            "default_user": _USER,
            "default_pass": self._password,
            "default_user_tags.administrator": "true",
            "disk_free_limit.absolute": "50MB",
            "vm_memory_high_watermark.absolute": "1GB",
        }

    def _confirms(self) -> bool:
        """Publish to a passing queue and wait for the broker's confirm: it then accepts work, not only connections."""
        if not port_is_open(self._amqp):
            return False
        try:
            with pika.BlockingConnection(pika.URLParameters(self.amqp_url)) as connection:
                channel = connection.channel()
                channel.confirm_delivery()
                queue = channel.queue_declare("", exclusive=True).method.queue
                channel.basic_publish("", queue, b"ready?", mandatory=True)
        except AMQPError:
            return False
        return port_is_open(self._management) and port_is_open(self._metrics)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
