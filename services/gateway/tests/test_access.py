"""People at the gateway's door: limits, the record, and the refusals that each kind of client understands."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from flask import Request
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from gateway.access.addresses import Addresses
from gateway.access.limits import RequestLimits
from gateway.app import Gateway, build
from gateway.config import GatewaySettings
from gateway.events.followers import Follower
from kargah.access.principal import Principal
from kargah.access.tokens import mint_download_token
from kargah.db.engine import create_engine
from kargah.domain.errors import TooMany
from kargah.testing.jobs import JobBench, job_bench
from kargah.testing.waiting import wait_until

SECRET = "0f9b1d7c5a3e8246" * 4
PASSWORD = "three-words-and-more"
NOWHERE = {name: "http://127.0.0.1:1" for name in ("registry_url", "datasets_url", "inference_url")}


@dataclass
class Stream:
    """An open event stream, begun."""

    follower: Follower
    answer: Any

    def still_open(self) -> bool:
        return not self.follower.outlet.closed

    def leave(self) -> None:
        self.answer.close()
        wait_until(lambda: not self.still_open())


@dataclass
class Door:
    """The gateway's app where people must log in, with the platform's first admin."""

    gateway: Gateway
    bench: JobBench
    token: str = ""
    beats: int = 0

    @property
    def app(self) -> Any:
        return self.gateway.app

    def follow(self, job_id: str, token: str) -> Stream:
        known = set(self.gateway.hub.followers.all())
        answer = self("GET", f"/api/jobs/{job_id}/events", token, headers={"accept": "text/event-stream"})
        assert answer.status_code == 200, answer.get_json()
        next(answer.iter_encoded())
        (follower,) = set(self.gateway.hub.followers.all()) - known
        return Stream(follower, answer)

    def beat(self) -> None:
        """As long after the last sign of life as the next one may take."""
        self.beats += 1
        self.gateway.hub.keeper.round(time.monotonic() + 1000 * self.beats)

    def __call__(self, method: str, path: str, token: str | None = None, **options: Any) -> Any:
        headers = {"authorization": f"Bearer {token or self.token}"} | options.pop("headers", {})
        client: FlaskClient = self.app.test_client()
        return client.open(path, method=method, headers=headers, **options)

    def login(self, name: str, password: str, address: str = "203.0.113.7") -> Any:
        body = {"name": name, "password": password}
        headers = {"x-forwarded-for": address}
        return self.app.test_client().post("/api/auth/login", json=body, headers=headers)


@pytest.fixture
def door(database_url_for: Callable[[str], str], tmp_path: Path) -> Iterator[Door]:
    (tmp_path / "index.html").write_text("<!doctype html>")
    settings = GatewaySettings(
        database_url=database_url_for("gateway"),
        auth="on",
        jwt_secret=SECRET,  # type: ignore[arg-type]
        admin_password=PASSWORD,  # type: ignore[arg-type]
        requests_per_minute=100,
        event_streams_each=3,
        studio_dir=tmp_path,
        trusted_proxies=["127.0.0.0/8"],  # type: ignore[list-item]
        **NOWHERE,  # type: ignore[arg-type]
    )
    gateway = build(settings)
    gateway.first_admin.ensure()
    gateway.hub.pusher.start()
    with job_bench(settings.database_url) as bench:
        door = Door(gateway, bench)
        door.token = door.login("admin", PASSWORD).get_json()["accessToken"]
        yield door
    gateway.hub.stop()
    for close in gateway.closing:
        close()


def test_tries_to_log_in_are_few(door: Door) -> None:
    answers = [door.login("admin", "wrong-password") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 901
    assert door.login("admin", PASSWORD).status_code == 429, "the right password comes too late as well"
    assert door.login("admin", PASSWORD, "198.51.100.9").status_code == 200, "from elsewhere it is let in"
    names = [door.login(f"user{number}", "wrong-password", "192.0.2.1").status_code for number in range(31)]
    assert names[:30] == [401] * 30 and names[30] == 429


@pytest.mark.parametrize("path", ["login", "refresh", "logout"])
def test_bodies_of_anybody_are_small(door: Door, path: str) -> None:
    body = {"name": "n" * (16 << 10), "password": PASSWORD}
    assert door.app.test_client().post(f"/api/auth/{path}", json=body).status_code == 413


def test_unknown_names_and_wrong_passwords_are_told_alike(door: Door) -> None:
    wrong, unknown = (door.login(name, "wrong-password").get_json() for name in ("admin", "nobody"))
    assert {**wrong, "requestId": 0} == {**unknown, "requestId": 0}


def test_too_many_requests_wait_for_the_next_minute(door: Door) -> None:
    statuses = [door("GET", "/api/auth/whoami").status_code for _ in range(250)]
    assert statuses[0] == 200 and 429 in statuses
    refused = door("GET", "/api/auth/whoami")
    if refused.status_code == 429:  # a new minute may have begun just now
        assert 1 <= int(refused.headers["retry-after"]) <= 61


def test_who_takes_no_answers_leaves_threads_for_others(door: Door) -> None:
    made = {"name": "slow", "password": PASSWORD, "project": "local", "role": "viewer"}
    assert door("POST", "/api/users", json=made).status_code == 201
    slow = door.login("slow", PASSWORD).get_json()["accessToken"]
    key = door("POST", "/api/keys", slow, json={"name": "k"}).get_json()["key"]
    untaken = [door("GET", "/api/jobs", token) for token in (slow, key) * 15]
    while (answer := door("GET", "/api/jobs", slow)).status_code == 200:
        untaken.append(answer)
    assert (len(untaken), answer.status_code, answer.headers["retry-after"]) == (31, 429, "2"), "one was for the key"
    assert door("GET", "/api/jobs", key).status_code == 429, "all keys of a user count as one"
    assert door("GET", "/api/jobs").status_code == 200
    untaken[0].close()
    assert door("GET", "/api/jobs", key).status_code == 200


def test_answers_of_every_kind_come_to_an_end(door: Door) -> None:
    for method, path in (("GET", "/studio/"), ("HEAD", "/studio/"), ("GET", "/healthz"), ("GET", "/api/nowhere")):
        for _ in range(40):
            answer = door.app.test_client().open(path, method=method)
            assert answer.status_code == (404 if "nowhere" in path else 200), f"{method} {path}"
            answer.close()


def test_a_link_ends_with_the_rights_of_who_asked_for_it(door: Door) -> None:
    """There is no such checkpoint: who may still look for it is told that."""
    address = "/api/jobs/job_x/checkpoints/ckpt_x"

    def told(subject: str, project: str = "local") -> int:
        signed = mint_download_token(SECRET, Principal(subject, "x", None, project), project, address)
        return int(door.app.test_client().get(f"{address}/signed-archive?signature={signed}").status_code)

    made = {"name": "sara", "password": PASSWORD, "project": "local", "role": "viewer"}
    user = f"user:{door('POST', '/api/users', json=made).get_json()['id']}"
    token = door.login("sara", PASSWORD).get_json()["accessToken"]
    key_id = door("POST", "/api/keys", token, json={"name": "k"}).get_json()["id"]
    key = f"key:{key_id}"
    assert [told(user), told(key), told("user:usr_none"), told("nobody")] == [404, 404, 403, 403]
    assert [told(user, "north"), told(key, "north")] == [403, 403]
    assert door("DELETE", f"/api/keys/{key_id}").status_code == 204
    assert [told(user), told(key)] == [404, 403]
    assert door("DELETE", "/api/projects/local/members/sara").status_code == 204
    assert told(user) == 403


def test_a_link_to_a_models_file_ends_with_them_too(door: Door) -> None:
    """No registry answers here: who may still look for it is told that."""
    file = "/api/models/owner/m/files/a/weights.bin?version=3"
    signed = "/api/models/owner/m/signed-files/a/weights.bin"

    def told(subject: str, project: str = "local", version: int = 3) -> int:
        signature = mint_download_token(SECRET, Principal(subject, "x", None, project), project, file)
        path = f"{signed}?version={version}&signature={signature}"
        return int(door.app.test_client().get(path).status_code)

    made = {"name": "sara", "password": PASSWORD, "project": "local", "role": "viewer"}
    user = f"user:{door('POST', '/api/users', json=made).get_json()['id']}"
    assert [told(user), told(user, "north"), told(user, version=2), told("nobody")] == [503, 403, 403, 403]
    for query in ("", "?version=3", "?signature=x", "?version=3&signature=x"):
        assert door.app.test_client().get(signed + query).status_code == 403, query
    assert door("DELETE", "/api/projects/local/members/sara").status_code == 204
    assert told(user) == 403


def test_the_limit_is_one_for_all_gateways(database_url_for: Callable[[str], str]) -> None:
    engine = create_engine(database_url_for("gateway"))
    gateways = [RequestLimits(engine, 40) for _ in range(2)]

    def passed() -> int:
        count = 0
        for number in range(200):
            try:
                gateways[number % 2].take("key:x")
                count += 1
            except TooMany:
                pass
        return count

    assert 40 <= passed() <= 82, "one minute's worth, or two where a minute began in between"
    engine.dispose()


def test_what_changes_and_what_is_refused_is_on_record(door: Door) -> None:
    body = {"name": "sara", "password": PASSWORD, "project": "local", "role": "viewer"}
    assert door("POST", "/api/users", json=body, headers={"x-request-id": "mine"}).status_code == 201
    sara = door.login("sara", PASSWORD, "203.0.113.8").get_json()["accessToken"]
    assert door("GET", "/api/jobs", sara).status_code == 200
    assert door("POST", "/api/train/jobs", sara, json={"name": "x", "config": {}}).status_code == 403
    assert door("GET", "/api/audit", sara).status_code == 403
    assert door("GET", "/api/jobs", "wrong").status_code == 401
    page = door("GET", "/api/audit?everywhere=true").get_json()
    rows = [(row["name"], row["operation"], row["status"]) for row in page["items"]]
    assert rows[:6] == [
        ("anybody", "list_jobs", 401),
        ("sara", "list_audit", 403),
        ("sara", "submit_train_job", 403),
        ("sara", "login", 200),
        ("admin", "add_user", 201),
        ("admin", "login", 200),
    ]
    made = page["items"][4]
    assert (made["requestId"], made["project"], made["path"]) == ("mine", "local", "/api/users")
    assert made["address"] == "127.0.0.1" and page["items"][3]["address"] == "203.0.113.8"
    assert PASSWORD not in str(page) and sara not in str(page)
    first = door("GET", "/api/audit?everywhere=true&limit=2").get_json()
    second = door("GET", f"/api/audit?everywhere=true&limit=2&cursor={first['nextCursor']}").get_json()
    assert [row["id"] for row in first["items"] + second["items"]] == [row["id"] for row in page["items"][:4]]
    only = door("GET", "/api/audit?status=4&name=sara").get_json()["items"]
    assert [row["operation"] for row in only] == ["list_audit", "submit_train_job"]


@pytest.mark.parametrize("path", ["/v1/models", "/hub/api/models", "/api/jobs"])
def test_each_client_is_refused_in_its_own_words(door: Door, path: str) -> None:
    answer = door("GET", path, "kgh_0123456789abcdef_" + "a" * 43)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="kargah"')
    if path.startswith("/v1"):
        assert answer.get_json()["error"]["code"] == "invalid_api_key"
    elif path.startswith("/hub"):
        assert answer.headers["x-error-message"] == "Invalid credentials in Authorization header"
        assert "not valid" in answer.get_json()["error"]
    else:
        assert (answer.content_type, answer.get_json()["code"]) == ("application/problem+json", "unauthenticated")


def test_somebody_in_several_projects_names_one(door: Door) -> None:
    for name in ("north", "south"):
        assert door("POST", "/api/projects", json={"name": name}).status_code == 201
    assert door("POST", "/api/users", json={"name": "both", "password": PASSWORD}).status_code == 201
    both = door.login("both", PASSWORD).get_json()["accessToken"]
    assert door("GET", "/api/jobs", both).status_code == 400
    assert door("GET", "/api/auth/whoami", both).get_json()["projects"] == []
    for name, role in (("north", "viewer"), ("south", "admin")):
        assert door("PUT", f"/api/projects/{name}/members/both", json={"role": role}).status_code == 200
    assert door("GET", "/api/jobs", both).status_code == 400
    for header in ("x-kargah-project", "openai-project"):
        answers = {
            name: door("GET", "/api/keys", both, headers={header: name}).status_code
            for name in ("north", "south", "local", "none")
        }
        assert answers == {"north": 200, "south": 200, "local": 403, "none": 403}
    made = door("POST", "/api/keys", both, json={"name": "k"}, headers={"x-kargah-project": "south"}).get_json()
    assert (made["role"], made["project"]) == ("admin", "south")
    assert door("GET", "/api/jobs", made["key"], headers={"x-kargah-project": "north"}).status_code == 403


def test_quotas_of_all_projects_are_set_by_who_looks_after_the_platform(door: Door) -> None:
    assert door("POST", "/api/projects", json={"name": "south"}).status_code == 201
    answer = door("PUT", "/api/queue/owners/south", json={"maxRunning": 2})
    assert (answer.status_code, answer.get_json()["maxRunning"]) == (200, 2)
    assert [owner["name"] for owner in door("GET", "/api/queue/owners").get_json()["items"]] == ["south"]
    key = door("POST", "/api/keys", json={"name": "k", "role": "admin"}).get_json()["key"]
    assert door("GET", "/api/queue/owners", key).get_json()["items"] == []
    assert door("PUT", "/api/queue/owners/south", key, json={"maxRunning": 9}).status_code == 403


def test_somebody_always_looks_after_the_platform(door: Door) -> None:
    for change in ({"disabled": True}, {"platform": False}):
        assert door("PATCH", "/api/users/admin", json=change).status_code == 409
    assert door("PATCH", "/api/users/nobody", json={"disabled": True}).status_code == 404
    weak = door("POST", "/api/users", json={"name": "weak", "password": "password1234"})
    assert (weak.status_code, weak.get_json()["errors"][0]["field"]) == (422, "password")


def test_a_new_password_ends_the_sessions(door: Door) -> None:
    change = {"current": PASSWORD, "new": "other-words-and-more"}
    assert door("POST", "/api/auth/password", json={**change, "current": "wrong-password"}).status_code == 401
    assert door("POST", "/api/auth/password", json=change).status_code == 204
    assert door("GET", "/api/jobs").status_code == 401
    assert door.login("admin", PASSWORD, "192.0.2.4").status_code == 401
    assert door.login("admin", "other-words-and-more", "192.0.2.4").status_code == 200


@pytest.mark.parametrize(
    ("remote", "told", "expected"),
    [
        ("203.0.113.1", "10.9.9.9", "203.0.113.1"),
        ("10.0.0.2", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "198.51.100.1, 10.0.0.3", "198.51.100.1"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.0.0.2", "<script>", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_only_our_own_proxies_say_where_a_request_comes_from(remote: str, told: str, expected: str) -> None:
    environ = EnvironBuilder(headers={"x-forwarded-for": told}).get_environ()
    environ["REMOTE_ADDR"] = remote
    assert Addresses([ip_network("10.0.0.0/8")]).of(Request(environ)) == expected


def test_a_stream_ends_with_the_key_that_opened_it(door: Door) -> None:
    """Checked again at each sign of life, for all streams of a caller at once."""
    door("POST", "/api/projects", json={"name": "south"})
    door("POST", "/api/users", json={"name": "ali", "password": PASSWORD})
    door("PUT", "/api/projects/south/members/ali", json={"role": "viewer"})
    ali = door.login("ali", PASSWORD).get_json()["accessToken"]
    keys = [door("POST", "/api/keys", ali, json={"name": "k"}).get_json() for _ in range(2)]
    job_id = door.bench.submit(owner="south")
    revoked, kept, session = [door.follow(job_id, token) for token in (keys[0]["key"], keys[1]["key"], ali)]
    assert all(one.still_open() for one in (revoked, kept, session))
    assert door("DELETE", f"/api/keys/{keys[0]['id']}", ali).status_code == 204
    door.beat()
    assert [one.still_open() for one in (revoked, kept, session)] == [False, True, True]
    door("DELETE", "/api/projects/south/members/ali")
    door.beat()
    assert not kept.still_open() and not session.still_open()


def test_one_caller_does_not_take_every_stream(door: Door) -> None:
    job_id = door.bench.submit(owner="local")
    open_ones = [door.follow(job_id, door.token) for _ in range(3)]
    refused = door("GET", f"/api/jobs/{job_id}/events", headers={"accept": "text/event-stream"})
    assert (refused.status_code, refused.get_json()["code"]) == (429, "too_many_requests")
    assert "retry-after" in refused.headers and "two seconds" in refused.get_json()["hint"]
    open_ones[0].leave()
    assert door.follow(job_id, door.token).still_open()
