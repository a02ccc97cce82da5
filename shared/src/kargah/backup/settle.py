"""What a restored database must be told: that its workers, its leases and its uploads under way are of the past.

In the transaction that loads it, and on columns that every release has: an older backup is migrated afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping

from kargah.backup.database import Rows

_ENDED = "('completed', 'error', 'cancelled')"
_ACTIVE = "('preparing', 'training', 'evaluating')"

# Attempts after the backup have higher generations than the rows tell. Seconds since 2024 are higher still, so that no
# worker of before the restore, or of an earlier restore of the same backup, owns a job that goes on here.
_LEAP = "greatest(generation + 1, (extract(epoch FROM now()) - 1704067200)::integer)"

_REQUEUED = f"""
    WITH gone AS (
        UPDATE gateway.jobs SET
            status = CASE desired WHEN 'pause' THEN 'paused' ELSE 'pending' END,
            desired = CASE desired WHEN 'pause' THEN 'run' ELSE desired END,
            worker = NULL, lease_until = NULL, active_since = NULL, queued_at = now(), event_count = event_count + 1,
            active_seconds = active_seconds + greatest(0, extract(epoch FROM least(now(), lease_until) - active_since))
        WHERE status IN {_ACTIVE}
        RETURNING id, event_count, status, generation
    )
    INSERT INTO gateway.events (job_id, number, type, data, generation)
    SELECT id, event_count, 'status', jsonb_build_object('status', status, 'reason', 'restored'), generation FROM gone
"""
_ATTEMPTS = "UPDATE gateway.attempts SET ended_at = now(), outcome = 'restored' WHERE ended_at IS NULL"
_FENCED = f"UPDATE gateway.jobs SET generation = {_LEAP} WHERE status NOT IN {_ENDED}"
_WORKERS = "DELETE FROM gateway.workers"
# Who logged out since the backup stays out.
_SESSIONS = "UPDATE gateway.access_sessions SET ended_at = now() WHERE ended_at IS NULL"
# Their parts lay in the old store.
_UPLOADS = "DELETE FROM dataset_svc.dataset_uploads WHERE state IN ('open', 'checking')"
_CHANGES = f"""
    UPDATE dataset_svc.dataset_changes SET generation = {_LEAP}, lease_until = NULL, state = 'waiting'
    WHERE state IN ('waiting', 'working')
"""
_FETCHES = "DELETE FROM registry.fetches"
_XORBS = "DELETE FROM registry.xorbs WHERE hash NOT IN (SELECT hash FROM registry.xorb_places)"
_BLOBS = "UPDATE registry.blobs SET touched_at = now(), collecting_since = NULL"

_STEPS: Mapping[str, tuple[str, str]] = {
    "jobs": ("gateway.jobs", _REQUEUED),
    "attempts": ("gateway.attempts", _ATTEMPTS),
    "fenced": ("gateway.jobs", _FENCED),
    "workers": ("gateway.workers", _WORKERS),
    "sessions": ("gateway.access_sessions", _SESSIONS),
    "uploads": ("dataset_svc.dataset_uploads", _UPLOADS),
    "changes": ("dataset_svc.dataset_changes", _CHANGES),
    "fetches": ("registry.fetches", _FETCHES),
    "xorbs": ("registry.xorb_places", _XORBS),
    "blobs": ("registry.blobs", _BLOBS),
}


def settle(connection: Rows) -> Mapping[str, int]:
    """How many rows each step changed: `jobs` that ran are queued again, `uploads` under way are gone..."""
    return {step: _carried_out(connection, *told) for step, told in _STEPS.items()}


def _carried_out(connection: Rows, table: str, statement: str) -> int:
    if connection.execute("SELECT to_regclass(%s)", [table]).fetchone() == (None,):
        return 0  # of a release before that table
    return connection.execute(statement.encode()).rowcount
