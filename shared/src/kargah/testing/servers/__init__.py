"""Real servers for tests. Postgres and S3 come from `kargah.embedded`; these come from the system's packages."""

from __future__ import annotations

from kargah.testing.servers.folder import server_folder
from kargah.testing.servers.programs import MissingServer
from kargah.testing.servers.prometheus import PrometheusServer, Sample
from kargah.testing.servers.rabbitmq import RabbitMQServer

__all__ = ["MissingServer", "PrometheusServer", "RabbitMQServer", "Sample", "server_folder"]
