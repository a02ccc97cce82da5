"""Triggers in the campaign's own database that write down, beside the product, what is stored and by whom.

Each agent logs in with a role of its own, so the database itself knows who writes. A write to a job is *stale* when
the writer's agent does not hold the job, or when the row names another attempt than the job's current one.
"""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from psycopg import sql

from kargah.embedded.topology import DATABASE

_TABLES = """
CREATE SCHEMA soak;
CREATE TABLE soak.agents (role text PRIMARY KEY, worker text NOT NULL);
CREATE TABLE soak.points (
    n bigserial PRIMARY KEY, job_id text, step int, generation int, value float8,
    at timestamptz DEFAULT clock_timestamp());
CREATE INDEX ON soak.points (job_id, n);
CREATE TABLE soak.checkpoints (
    n bigserial PRIMARY KEY, id text, job_id text, step int, generation int, prefix text, visible bool,
    at timestamptz DEFAULT clock_timestamp());
CREATE TABLE soak.stale (
    n bigserial PRIMARY KEY, relation text, operation text, job_id text, writer text, generation int,
    owner text, owner_generation int, status text, at timestamptz DEFAULT clock_timestamp());
CREATE VIEW soak.current AS SELECT id, worker, generation, status FROM gateway.jobs;
"""

# The first write of a transaction to a job is checked against the row as it was; those that follow belong to it.
_FUNCTIONS = """
CREATE FUNCTION soak.note(relation text, operation text, job text, me text, gen int, was soak.current) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO soak.stale (relation, operation, job_id, writer, generation, owner, owner_generation, status)
    VALUES (relation, operation, job, me, gen, was.worker, was.generation, was.status)
$$;

CREATE FUNCTION soak.me() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT worker FROM soak.agents WHERE role = session_user
$$;

CREATE FUNCTION soak.on_job() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    me text := soak.me();
    was soak.current := (OLD.id, OLD.worker, OLD.generation, OLD.status);
BEGIN
    IF me IS NULL OR current_setting('soak.mine', true) = OLD.id THEN RETURN NULL; END IF;
    IF (OLD.status, OLD.desired, OLD.progress, OLD.generation, OLD.worker, OLD.lease_until, OLD.saved_step,
        OLD.event_count, OLD.log_count, OLD.result, OLD.error) IS NOT DISTINCT FROM
       (NEW.status, NEW.desired, NEW.progress, NEW.generation, NEW.worker, NEW.lease_until, NEW.saved_step,
        NEW.event_count, NEW.log_count, NEW.result, NEW.error) THEN RETURN NULL; END IF;
    IF NOT (OLD.status = 'pending' AND NEW.status = 'preparing' AND NEW.generation = OLD.generation + 1)
       AND (OLD.worker IS DISTINCT FROM me OR OLD.status NOT IN ('preparing', 'training', 'evaluating')) THEN
        PERFORM soak.note('jobs', TG_OP, OLD.id, me, NULL, was);
    END IF;
    PERFORM set_config('soak.mine', OLD.id, true);
    RETURN NULL;
END $$;

CREATE FUNCTION soak.on_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    me text := soak.me();
    mine text := current_setting('soak.mine', true);
    changed record;
    was soak.current;
BEGIN
    IF TG_OP = 'DELETE' THEN changed := OLD; ELSE changed := NEW; END IF;
    IF me IS NULL THEN RETURN NULL; END IF;
    SELECT * INTO was FROM soak.current WHERE id = changed.job_id;
    IF mine IS DISTINCT FROM changed.job_id
       AND (was.worker IS DISTINCT FROM me OR was.status NOT IN ('preparing', 'training', 'evaluating')) THEN
        PERFORM soak.note(TG_TABLE_NAME, TG_OP, changed.job_id, me, changed.generation, was);
    ELSIF TG_OP <> 'DELETE' AND changed.generation <> was.generation THEN
        PERFORM soak.note(TG_TABLE_NAME, TG_OP, changed.job_id, me, changed.generation, was);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION soak.on_loss() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO soak.points (job_id, step, generation, value) VALUES (NEW.job_id, NEW.step, NEW.generation, NEW.value);
    RETURN NULL;
END $$;

CREATE FUNCTION soak.on_checkpoint() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE seen gateway.checkpoints;
BEGIN
    IF TG_OP = 'DELETE' THEN seen := OLD; ELSE seen := NEW; END IF;
    INSERT INTO soak.checkpoints (id, job_id, step, generation, prefix, visible)
    VALUES (seen.id, seen.job_id, seen.step, seen.generation, seen.prefix, TG_OP <> 'DELETE');
    RETURN NULL;
END $$;
"""

_TRIGGERS = """
CREATE TRIGGER soak_job AFTER UPDATE ON gateway.jobs FOR EACH ROW EXECUTE FUNCTION soak.on_job();
CREATE TRIGGER soak_metric AFTER INSERT OR UPDATE OR DELETE ON gateway.metrics
    FOR EACH ROW EXECUTE FUNCTION soak.on_row();
CREATE TRIGGER soak_event AFTER INSERT ON gateway.events FOR EACH ROW EXECUTE FUNCTION soak.on_row();
CREATE TRIGGER soak_log AFTER INSERT ON gateway.logs FOR EACH ROW EXECUTE FUNCTION soak.on_row();
CREATE TRIGGER soak_checkpoint AFTER INSERT OR UPDATE OR DELETE ON gateway.checkpoints
    FOR EACH ROW EXECUTE FUNCTION soak.on_row();
CREATE TRIGGER soak_loss AFTER INSERT OR UPDATE ON gateway.metrics
    FOR EACH ROW WHEN (NEW.name = 'loss') EXECUTE FUNCTION soak.on_loss();
CREATE TRIGGER soak_kept AFTER INSERT OR DELETE ON gateway.checkpoints
    FOR EACH ROW EXECUTE FUNCTION soak.on_checkpoint();
"""


def install(superuser_url: str, workers: Mapping[str, str], password: str) -> None:
    """Make a login role for each agent (role -> worker's name) with the worker's rights, and lay the triggers."""
    with psycopg.connect(superuser_url) as connection:
        connection.execute(_TABLES)
        connection.execute(_FUNCTIONS)
        connection.execute("GRANT USAGE ON SCHEMA soak TO PUBLIC")
        for role, worker in workers.items():
            _add_agent(connection, role, worker, password)
        connection.execute(_TRIGGERS)


def forget(superuser_url: str) -> None:
    """Remove all jobs with their history, and what was noted of them."""
    with psycopg.connect(superuser_url) as connection:
        connection.execute("TRUNCATE gateway.jobs, soak.points, soak.checkpoints, soak.stale CASCADE")


def _add_agent(connection: psycopg.Connection[tuple[object, ...]], role: str, worker: str, password: str) -> None:
    names = {"role": sql.Identifier(role), "password": sql.Literal(password), "database": sql.Identifier(DATABASE)}
    for statement in (
        "CREATE ROLE {role} LOGIN INHERIT PASSWORD {password}",
        "GRANT worker TO {role}",
        "ALTER ROLE {role} IN DATABASE {database} SET search_path = worker, gateway",
    ):
        connection.execute(sql.SQL(statement).format(**names))
    connection.execute("INSERT INTO soak.agents VALUES (%s, %s)", [role, worker])
