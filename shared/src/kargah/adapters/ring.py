"""What a ring carries: the kind and the id of a job, and nothing else."""

from __future__ import annotations

import re

from kargah.domain.ids import is_id

JOB_PREFIX = "job"
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LONGEST = 128


def is_kind(text: object) -> bool:
    """Whether `text` may name a kind of job, such as `train`."""
    return isinstance(text, str) and _KIND.fullmatch(text) is not None


def is_job_id(text: object) -> bool:
    """Whether `text` is a job's id in form."""
    return isinstance(text, str) and len(text) <= _LONGEST and is_id(text, JOB_PREFIX)
