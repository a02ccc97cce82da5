"""The claim on real Postgres: the policy's order, exact quotas, and costs that do not grow with the queue."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from kargah.db.engine import Connection
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import OverQuota
from kargah.domain.queue_policy import FAIR_SHARE_SECONDS, PRIORITY_SECONDS, QUOTA_KIND, Head, choose, rank
from kargah.jobstore import attempt_repository, claim_repository, control_repository, queue_repository
from kargah.jobstore.queue_view_repository import list_owners, waiting_job, waiting_jobs
from kargah.jobstore.tables import jobs
from kargah.jobstore.values import Claim
from kargah.testing.jobs import JobBench, job_bench
from kargah.testing.waiting import wait_until

_KINDS = ["train", "install"]


@pytest.fixture
def bench(database_url_for: Callable[[str], str]) -> Iterator[JobBench]:
    with job_bench(database_url_for("gateway")) as bench:
        yield bench


def _submit(bench: JobBench, owner: str, waited: float = 0.0, priority: int = 0, kind: str = "train") -> str:
    """A job that was queued `waited` seconds ago."""
    job_id = bench.submit(owner=owner, priority=priority, kind=kind)
    bench.do(_age, job_id, waited)
    return job_id


def _age(conn: Connection, job_id: str, seconds: float) -> None:
    earlier = jobs.c.queued_at - sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    conn.execute(sa.update(jobs).where(jobs.c.id == job_id).values(queued_at=earlier, rank=jobs.c.rank - seconds))


def _claim(bench: JobBench, worker: str = "worker") -> Claim | None:
    return bench.do(claim_repository.claim, _KINDS, worker, 60.0)


def _order(bench: JobBench) -> list[str]:
    return [claim.job_id for claim in iter(lambda: _claim(bench), None) if claim is not None]


def test_one_level_of_priority_is_worth_ten_minutes(bench: JobBench) -> None:
    fresh = _submit(bench, "a", 0, priority=1)
    old, older = _submit(bench, "b", PRIORITY_SECONDS - 60), _submit(bench, "c", PRIORITY_SECONDS + 60)
    assert _order(bench) == [older, fresh, old]


def test_a_change_of_priority_moves_the_job_and_keeps_its_wait(bench: JobBench) -> None:
    first, second = _submit(bench, "a", 100), _submit(bench, "a", 50)
    bench.do(control_repository.change_priority, second, 1)
    assert _order(bench) == [second, first]


def test_owners_take_turns(bench: JobBench) -> None:
    many = [_submit(bench, "many", 200 - number) for number in range(4)]
    few = [_submit(bench, "few", 100 - number) for number in range(2)]
    assert _order(bench) == [many[0], few[0], many[1], few[1], many[2], many[3]]


def test_a_job_for_several_devices_waits_for_a_worker_that_has_them(bench: JobBench) -> None:
    large, small = bench.submit("large", owner="a", devices=4), bench.submit("small", owner="a")
    other = bench.submit("other", owner="b", devices=2)

    def claimed(devices: int) -> str | None:
        claim = bench.do(claim_repository.claim, _KINDS, "worker", 60.0, devices)
        return None if claim is None else claim.job_id

    assert (claimed(1), claimed(1), claimed(3), claimed(3)) == (small, None, other, None)
    assert claimed(4) == large and bench.get(large).config.devices == 4


def test_a_job_that_was_put_back_keeps_its_place(bench: JobBench) -> None:
    first, second = _submit(bench, "a", 100), _submit(bench, "a", 50)
    claim = _claim(bench)
    assert claim is not None and claim.job_id == first
    bench.do(attempt_repository.requeue, first, claim.generation, "drained")
    assert _order(bench) == [first, second]


@dataclass
class _Model:
    """The policy on plain lists: what the database should do."""

    waiting: list[tuple[str, str, float, str]] = field(default_factory=list)
    running: Counter[str] = field(default_factory=Counter)
    quotas: dict[str, int | None] = field(default_factory=dict)

    def next(self) -> Head | None:
        heads: dict[tuple[str, str], Head] = {}
        for owner, kind, at, job_id in sorted(self.waiting, key=lambda one: one[2:]):
            head = Head(owner, kind, at, job_id, self.running[owner], self.quotas.get(owner))
            heads.setdefault((owner, kind), head)
        return choose(heads.values())

    def take(self, head: Head) -> None:
        self.waiting.remove((head.owner, head.kind, head.rank, head.job_id))
        self.running[head.owner] += head.kind == QUOTA_KIND


@pytest.mark.parametrize("seed", range(4))
def test_the_database_decides_as_the_policy_does(bench: JobBench, seed: int) -> None:
    dice, model = random.Random(seed), _Model()
    for owner in "abcdef":
        model.quotas[owner] = dice.choice([None, None, 0, 1, 3])
        bench.do(queue_repository.set_quota, owner, model.quotas[owner])
    for _ in range(50):
        owner, priority, waited = dice.choice("aaaabbbcdef"), dice.randint(-2, 2), dice.uniform(0, 3000)
        kind = dice.choice(["train", "train", "train", "install"])
        job_id = _submit(bench, owner, waited, priority, kind)
        model.waiting.append((owner, kind, bench.do(_rank_of, job_id), job_id))
    active: list[tuple[Claim, Head]] = []
    while (head := model.next()) is not None:
        claim = _claim(bench)
        assert claim is not None and claim.job_id == head.job_id
        model.take(head)
        active.append((claim, head))
        if dice.random() < 0.4:  # one of those that run ends, and makes room
            ended, of = active.pop(dice.randrange(len(active)))
            bench.do(attempt_repository.finish, ended.job_id, ended.generation, {})
            model.running[of.owner] -= of.kind == QUOTA_KIND
    assert _claim(bench) is None
    assert all(model.quotas[owner] is not None for owner, *_ in model.waiting)


def _rank_of(conn: Connection, job_id: str) -> float:
    return float(conn.execute(sa.select(jobs.c.rank).where(jobs.c.id == job_id)).scalar_one())


def test_ranks_are_the_policy_s(bench: JobBench) -> None:
    job_id = bench.submit(priority=7)
    queued = sa.select(sa.func.extract("epoch", jobs.c.queued_at)).where(jobs.c.id == job_id)
    epoch = float(bench.do(lambda conn: conn.execute(queued).scalar_one()))
    assert bench.do(_rank_of, job_id) == pytest.approx(rank(epoch, 7), abs=1e-3)


def test_quotas_are_exact_under_racing_claims(bench: JobBench) -> None:
    quotas = {"one": 1, "three": 3, "none": 0, "free": None}
    for owner, limit in quotas.items():
        bench.do(queue_repository.set_quota, owner, limit)
        for _ in range(8):
            bench.submit(owner=owner)
    start = threading.Barrier(8)

    def work(worker: int) -> list[str]:
        start.wait()
        return [claim.job_id for claim in iter(lambda: _claim(bench, f"worker {worker}"), None) if claim is not None]

    with ThreadPoolExecutor(8) as pool:
        taken = [job_id for ids in pool.map(work, range(8)) for job_id in ids]
    assert len(taken) == len(set(taken)) == 1 + 3 + 0 + 8
    running = {owner.name: owner.running for owner in bench.do(list_owners)}
    assert running == {"one": 1, "three": 3, "none": 0, "free": 8}


def test_waiting_jobs_are_limited_to_the_job_under_racing_submissions(bench: JobBench) -> None:
    bench.do(queue_repository.set_waiting_quota, "ali", 3)
    start = threading.Barrier(8)

    def submit(number: int) -> str | None:
        start.wait()
        try:
            return bench.submit(f"job {number}", owner="ali")
        except OverQuota as refused:
            assert refused.message == "3 jobs of ali wait, and 3 may."
            return None

    with ThreadPoolExecutor(8) as pool:
        ids = [job_id for job_id in pool.map(submit, range(8)) if job_id is not None]
    assert len(ids) == 3
    (ali,) = bench.do(list_owners)
    assert (ali.waiting, ali.max_waiting, ali.max_running) == (3, 3, None)
    assert _claim(bench, "w") is not None
    assert bench.submit(owner="ali") and bench.submit(owner="others"), "one has started; others have no limit"
    bench.do(queue_repository.set_waiting_quota, "ali", None)
    assert bench.submit(owner="ali")


def _two_claims_at_once(bench: JobBench) -> tuple[Claim | None, Claim | None]:
    """The second begins while the first has not committed, and the first commits once the second has ended or waits
    for a lock."""
    bench.do(queue_repository.set_quota, "ali", 1)
    for _ in range(2):
        bench.submit(owner="ali")
    with ThreadPoolExecutor(1) as pool:
        with UnitOfWork(bench.engine) as tx:
            first = claim_repository.claim(tx.connection, _KINDS, "first", 60.0)
            second = pool.submit(_claim, bench, "second")
            wait_until(lambda: second.done() or bench.do(_somebody_waits))
        return first, second.result(timeout=10)


def _somebody_waits(conn: Connection) -> bool:
    waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
    return bool(conn.execute(sa.text(waiting)).scalar_one())


def test_a_claim_waits_for_the_count(bench: JobBench) -> None:
    first, second = _two_claims_at_once(bench)
    assert first is not None and second is None


def test_without_the_lock_the_quota_would_be_overrun(bench: JobBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the test above sees the lock, not luck."""

    def unlocked(conn: Connection, owner: str) -> bool:
        (view,) = list_owners(conn)
        return view.max_running is None or view.running < view.max_running

    monkeypatch.setattr(claim_repository, "lock_room", unlocked)
    first, second = _two_claims_at_once(bench)
    assert first is not None and second is not None


def test_a_quota_of_trainings_leaves_installs_alone(bench: JobBench) -> None:
    bench.do(queue_repository.set_quota, "ali", 0)
    _submit(bench, "ali", 100)
    install = _submit(bench, "ali", 0, kind="install")
    assert _order(bench) == [install]


def test_only_jobs_that_may_start_are_rung_for(bench: JobBench) -> None:
    bench.do(queue_repository.set_quota, "full", 0)
    _submit(bench, "full", 100)
    waiting = [_submit(bench, "ali", 60 - number) for number in range(6)]
    install = _submit(bench, "ali", 10, kind="install")
    _submit(bench, "ali", 0)
    rung = bench.do(claim_repository.pending_to_ring, overdue_seconds=3, per_kind=4)
    assert sorted(rung) == sorted([(job_id, "train") for job_id in waiting[:4]] + [(install, "install")])


def test_the_view_is_in_the_order_of_the_claim(bench: JobBench) -> None:
    dice = random.Random(7)
    bench.do(queue_repository.set_quota, "capped", 2)
    for number in range(24):
        kind = "install" if number % 7 == 0 else "train"
        _submit(bench, dice.choice(["a", "b", "capped"]), dice.uniform(0, 2000), dice.randint(-1, 1), kind)
    shown = bench.do(waiting_jobs, _KINDS, limit=1000)
    ready = [job.job_id for job in shown if not job.held]
    some = bench.do(waiting_jobs, _KINDS, limit=5)
    assert [job.job_id for job in some] == ready[:5]
    for job in (shown[3], shown[-1]):
        *first, last = bench.do(waiting_job, job.job_id, _KINDS, _KINDS, first=3)
        alone = [*first, last] if last.number > 3 else first
        assert job.job_id in [one.job_id for one in alone] and job.number in [one.number for one in alone]
    assert _order(bench) == ready
    assert [job.owner for job in shown if job.held] == ["capped"] * (len(shown) - len(ready))


def test_what_runs_already_is_in_the_view(bench: JobBench) -> None:
    _submit(bench, "ali", 100)
    claim = _claim(bench)
    later = [_submit(bench, "ali", 50), _submit(bench, "ali", 10)]
    shown = bench.do(waiting_jobs, _KINDS, limit=10)
    assert claim is not None and [job.job_id for job in shown] == later
    assert [job.share_seconds for job in shown] == [FAIR_SHARE_SECONDS, 2 * FAIR_SHARE_SECONDS]
    assert [(job.running, job.before) for job in shown] == [(1, 0), (1, 1)]


def test_costs_do_not_grow_with_the_queue(bench: JobBench) -> None:
    bench.do(_add_waiting, 20_000)
    bench.do(queue_repository.set_quota, "owner1", 0)
    for _ in range(12):  # often enough for a prepared statement to be planned without its parameters
        bench.submit(owner="owner1", kind="install")
        for kinds in (["train"], ["install"], _KINDS):
            assert bench.do(_rows_read, kinds) < 1000, kinds


def _add_waiting(conn: Connection, count: int) -> None:
    conn.execute(
        sa.text(
            "INSERT INTO jobs (id, kind, name, owner, config, rank) "
            "SELECT 'job_' || n, 'train', 'waits', 'owner' || n % 5, CAST(:config AS jsonb), n "
            "FROM generate_series(1, :count) AS n"
        ),
        {"count": count, "config": '{"recipe": "sft", "outputModel": "x", "params": {}}'},
    )
    conn.execute(sa.text("ANALYZE jobs"))


def _rows_read(conn: Connection, kinds: list[str]) -> int:
    """Rows of `jobs` that Postgres looked at for one claim and one search for jobs to ring for."""
    table = sa.text("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'jobs'")
    before = conn.execute(table).scalar_one()
    claim_repository.claim(conn, kinds, "worker", 60.0)
    claim_repository.pending_to_ring(conn, overdue_seconds=0)
    return int(conn.execute(table).scalar_one() - before)
