"""Structured logs of every process: `get_logger(__name__).info("job claimed", job_id=...)`.

Records of the standard library (gunicorn, alembic, dramatiq) come out in the same shape. Secrets are masked
wherever they appear: fields by their name; passwords in URLs, signed URLs, API keys and tokens by their form.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from kargah.telemetry import traces

LogFormat = Literal["console", "json"]

_MASK = "***"
_SECRET_NAME = re.compile(r"passw|secret|token$|authorization|cookie|api_?key|credential", re.IGNORECASE)
_SECRET_IN_TEXT = re.compile(
    r"(?P<head>://[^/\s:@]*:)[^@\s/]+(?=@)"
    r"|(?P<name>(?:X-Amz-(?:Signature|Credential|Security-Token)|\bsignature)=)[^&\s\"']+"
    r"|(?P<key>\bkg[hr]_[0-9a-f]{16}_)[A-Za-z0-9_-]+"
    r"|(?P<bearer>\bBearer )[^\s\"',]+"
    r"|(?P<jwt>\beyJ)[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
)


def _add_trace(_logger: WrappedLogger, _method: str, record: EventDict) -> EventDict:
    record.update(traces.current_ids())
    return record


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    _add_trace,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
_QUIET = ("alembic", "urllib3", "pika", "dramatiq", "filelock", "httpx", "httpcore")


def configure_logging(service: str, fmt: LogFormat = "console", level: str = "INFO") -> None:
    """Send this process's logs to standard error, each record with `service`. Calling it again replaces it.

    Without it, records go where the standard library sends them: to pytest, say.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _service_adder(service),
                structlog.processors.format_exc_info,  # before masking: a traceback may quote a URL with a password
                mask_secrets,
                _renderer(fmt),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.captureWarnings(True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger that takes key-value pairs; values bound with `structlog.contextvars` are added to each record."""
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return logger


def mask_secrets(_logger: WrappedLogger, _method: str, record: EventDict) -> EventDict:
    """A processor: replaces values of secret-looking fields, and secrets inside any text."""
    return {name: _masked(name, value) for name, value in record.items()}


def mask_text(text: str) -> str:
    """`text` with passwords in URLs, signatures of signed ones, API keys and tokens replaced."""
    return _SECRET_IN_TEXT.sub(lambda match: str(match[match.lastgroup or 0]) + _MASK, text)


def _masked(name: str, value: object) -> object:
    if _SECRET_NAME.search(name):
        return _MASK
    return mask_text(value) if isinstance(value, str) else value


def _service_adder(service: str) -> Processor:
    def add_service(_logger: WrappedLogger, _method: str, record: EventDict) -> EventDict:
        record.setdefault("service", service)
        return record

    return add_service


def _renderer(fmt: LogFormat) -> Processor:
    if fmt == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
