"""Choose the doorbell by configuration."""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client import CollectorRegistry

from kargah.adapters.postgres_bell import PostgresBell, PostgresBellListener
from kargah.adapters.settings import BellSettings
from kargah.db.engine import Engine, create_engine
from kargah.ports.doorbell import Doorbell, DoorbellListener


def open_bell(settings: BellSettings, engine: Engine | None = None) -> Doorbell:
    """The ringing side. Over Postgres it uses `engine`, or makes one."""
    if settings.amqp_url is not None and settings.bell == "amqp":
        from kargah.adapters.amqp_bell import AmqpBell  # the embedded mode does without dramatiq and pika

        return AmqpBell(settings.amqp_url)
    return PostgresBell(engine or create_engine(settings.database_url, application_name="kargah-bell", pool_size=2))


def open_listener(
    settings: BellSettings, kinds: Collection[str], registry: CollectorRegistry | None = None
) -> DoorbellListener:
    """The listening side, for the kinds of jobs that this worker serves."""
    if settings.amqp_url is not None and settings.bell == "amqp":
        from kargah.adapters.amqp_bell import AmqpBellListener

        return AmqpBellListener(settings.amqp_url, kinds, registry)
    return PostgresBellListener(settings.database_url, kinds)
