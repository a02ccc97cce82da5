"""Import jobs: a packaged corpus, a file from a URL or an S3 store, or data of a hub becomes a dataset."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from gateway.jobs.draft import Draft, as_submitted
from gateway.jobs.queries import ImportCreate
from gateway.jobs.resolve import not_acceptable
from kargah.contracts.jobs import JobConfig
from kargah.domain.errors import FieldError
from kargah.domain.names import can_name_dataset

_CORPORA = frozenset({"chatterbot"})
_OBJECT = re.compile(r"s3://[A-Za-z0-9][A-Za-z0-9_-]{0,62}/[^\x00-\x1f]{1,1000}")
_HUB = re.compile(r"hf:[\w.-]{1,96}/[\w.-]{1,96}(@[\w./-]{1,100})?(:[\w./ -]{1,300})?")
_FORMS = "Write https://..., s3://STORE/KEY, hf:OWNER/NAME[@REVISION][:FILE or SPLIT], or chatterbot."
_SHOWN = 80


def import_draft(create: ImportCreate) -> Draft:
    """Raises Invalid for what cannot name a dataset, and for what is no source."""
    if not can_name_dataset(create.name):
        message = "A name is made of letters, digits, . _ - and may have an owner: owner/name."
        raise not_acceptable([FieldError("name", message, "bad_name")])
    _check_source(create.source)
    params = {"source": create.source, "language": create.language, "format": create.format, "map": create.map}
    params = {key: value for key, value in params.items() if value is not None}
    config = JobConfig(recipe="import", output_dataset=create.name, params=params, submitted=as_submitted(create))
    return Draft(f"import {create.source.partition('?')[0][:_SHOWN]} as {create.name}", config)


def _check_source(source: str) -> None:
    if source in _CORPORA or _OBJECT.fullmatch(source) or _HUB.fullmatch(source):
        return
    if not source.startswith(("http://", "https://")):
        raise not_acceptable([FieldError("source", _FORMS, "bad_source")])
    try:
        parts = urlsplit(source)
        host, secret = parts.hostname, parts.username is not None or parts.password is not None
    except ValueError:
        raise not_acceptable([FieldError("source", f"This is no URL. {_FORMS}", "bad_source")]) from None
    if secret:
        message = "The URL carries a user or a password, and jobs are no place for secrets."
        raise not_acceptable([FieldError("source", message, "secret")])
    if not host or re.search(r"[\x00-\x20]", source):
        raise not_acceptable([FieldError("source", f"This is no URL. {_FORMS}", "bad_source")])
