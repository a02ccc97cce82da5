"""A stack where people must log in: from the first admin to a model of one project, as its people see it."""

from __future__ import annotations

import io
import json
import random
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from openai import AuthenticationError, OpenAI
from typer.testing import CliRunner

from kargah import Client
from kargah.access.roles import Role
from kargah.cli.main import app
from kargah.clients.transport import ApiError
from kargah.contracts.jobs import JobView
from kargah.embedded.ports import free_port
from kargah.testing.servers.folder import server_folder
from worker.testing.tiny_models import tiny_bert

from .commands import PERSIAN_QA, Kargah

pytestmark = pytest.mark.campaign

PASSWORD = "three-words-and-more"
CONFIG = {"baseModel": "bert", "dataset": "qa", "outputModel": "tuned", "epochs": 1, "maxSteps": 10}


@dataclass
class Guarded:
    """The stack, its first admin, and API keys by name: of `north` each role's, and a trainer's of `south`."""

    url: str
    data: Path
    admin_password: str
    keys: dict[str, str] = field(default_factory=dict)

    def client(self, key: str) -> Client:
        return Client(self.url, api_key=self.keys[key])

    def http(self, key: str | None = None, **headers: str) -> httpx.Client:
        bearer = {"authorization": f"Bearer {self.keys.get(key, key)}"} if key else {}
        return httpx.Client(base_url=self.url, headers=bearer | headers, timeout=60, trust_env=False)


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    command = Kargah(f"http://127.0.0.1:{free_port()}")
    port = command.url.rpartition(":")[2]
    with server_folder() as folder, pytest.MonkeyPatch.context() as environment:
        environment.setenv("KARGAH_UPSTREAM_URL", "http://127.0.0.1:1")  # no hub is asked
        told = command.json("up", "--auth", "--detach", "--data", str(folder), "--port", port)
        try:
            stack = Guarded(command.url, folder, told["admin"]["password"])
            _people(stack)
            yield stack
        finally:
            command.run("down", "--data", str(folder))


def _people(stack: Guarded) -> None:
    """Users and keys, made as an operator makes them."""
    with Client(stack.url, api_key=_session(stack.url, "admin", stack.admin_password)) as root:
        stack.keys["platform"] = root.access.make_key("tests", platform=True).key
        for project in ("north", "south"):
            root.access.add_project(project)
        for name, project, role in (
            ("viewer", "north", Role.VIEWER),
            ("trainer", "north", Role.TRAINER),
            ("admin", "north", Role.ADMIN),
            ("southerner", "south", Role.TRAINER),
        ):
            root.access.add_user(f"{name}1", PASSWORD, project=project, role=role)
            with Client(stack.url, api_key=_session(stack.url, f"{name}1")) as user:
                stack.keys[name] = user.access.make_key("tests").key


def _session(url: str, name: str, password: str = PASSWORD) -> str:
    with Client(url) as nobody:
        return nobody.access.login(name, password).access_token


def test_without_credentials_only_what_is_public_answers(guarded: Guarded) -> None:
    with guarded.http() as http:
        public = ["/healthz", "/readyz", "/openapi.json", "/"]
        assert http.get("/api/no").status_code == 404
        assert [http.get(path, follow_redirects=True).status_code for path in public] == [200] * len(public)
        for path in (
            "/api/jobs",
            "/api/models",
            "/api/datasets",
            "/v1/models",
            "/hub/api/models",
            "/metrics",
        ):
            answer = http.get(path)
            assert (answer.status_code, answer.headers["www-authenticate"][:6]) == (401, "Bearer"), path


@pytest.mark.parametrize("token", ["x", "kgh_0123456789abcdef_" + "a" * 43, "a.b.c"])
def test_wrong_credentials_are_refused(guarded: Guarded, token: str) -> None:
    with guarded.http(token) as http:
        assert {http.get(path).status_code for path in ("/api/jobs", "/api/models", "/hub/api/models")} == {401}


def test_the_services_behind_take_only_the_platforms_own_tokens(guarded: Guarded) -> None:
    with guarded.http("platform") as http:
        endpoints = http.get("/api/status").json()["endpoints"]
    for name, path in (("registry", "/api/models"), ("datasets", "/api/datasets"), ("inference", "/v1/models")):
        for key in (None, "platform"):
            with guarded.http(key) as http:
                assert http.get(endpoints[name] + path).status_code == 401


def test_roles_decide_what_is_allowed(guarded: Guarded) -> None:
    with guarded.client("viewer") as viewer, guarded.client("trainer") as trainer, guarded.client("admin") as admin:
        assert viewer.jobs.list().items == [] and viewer.access.whoami().role is Role.VIEWER
        for forbidden in (
            lambda: viewer.datasets.upload(PERSIAN_QA, name="qa"),
            lambda: viewer.access.make_key("more", role=Role.TRAINER),
            lambda: trainer.access.set_member("north", "southerner1", Role.VIEWER),
            lambda: trainer.access.make_key("platform", platform=True),
            lambda: admin.access.users(),
            lambda: admin.queue.set_quota("north", 5),
        ):
            with pytest.raises(ApiError) as refused:
                forbidden()
            assert refused.value.problem.status == 403
        assert {member.user for member in admin.access.members("north").items} == {"viewer1", "trainer1", "admin1"}
        with pytest.raises(ApiError) as hidden:
            admin.access.members("south")
        assert hidden.value.problem.status == 404
    with guarded.client("platform") as root, pytest.raises(ApiError) as unknown:
        root.queue.set_quota("nort", 5)
    assert unknown.value.problem.detail == "There is no project 'nort'."


@pytest.fixture(scope="module")
def job(guarded: Guarded, tmp_path_factory: pytest.TempPathFactory) -> JobView:
    """A training of `north` that has ended, with its model `tuned`, the base `bert` and the rows `qa`."""
    with guarded.client("trainer") as trainer:
        trainer.models.install_folder(tiny_bert(tmp_path_factory.mktemp("bert")), name="bert")
        trainer.datasets.upload(PERSIAN_QA, name="qa")
        return trainer.jobs.wait(trainer.jobs.submit("guarded", CONFIG).id)


def test_a_training_runs_for_its_project_from_the_upload_to_the_model(guarded: Guarded, job: JobView) -> None:
    assert (job.status, job.owner) == ("completed", "north")
    with guarded.client("trainer") as trainer:
        assert trainer.models.get("tuned").latest.version == 1
        with pytest.raises(ApiError) as urgent:
            trainer.jobs.change_priority(job.id, 50)
        assert urgent.value.problem.status == 403
    with guarded.http("trainer", accept="text/event-stream") as http:
        assert "completed" in http.get(f"/api/jobs/{job.id}/events").text
    with guarded.http("trainer") as http:
        refused = http.post("/api/train/jobs", json={"name": "x", "owner": "south", "config": CONFIG})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (403, "owner")


def test_a_checkpoint_is_downloaded_by_who_may_read_its_job(guarded: Guarded, job: JobView, tmp_path: Path) -> None:
    with guarded.client("viewer") as viewer:
        chosen = viewer.jobs.furthest_checkpoint(job.id)
        files = viewer.jobs.download_checkpoint(job.id, tmp_path / "kept")
        assert sum(file.stat().st_size for file in files) == chosen.size_bytes
    address = f"/api/jobs/{job.id}/checkpoints/{chosen.id}"
    with guarded.http("southerner") as south:
        refused = [south.get(f"{address}/{what}").status_code for what in ("files", "files/state.json", "archive")]
        assert (refused, south.post(f"{address}/link").status_code) == ([404] * 3, 404)
    with guarded.http("viewer") as north:
        link = north.post(f"{address}/link").json()
    with guarded.http() as nobody:
        sent = nobody.get(link["url"])
        assert sent.status_code == 200 and len(sent.content) == int(sent.headers["content-length"])
        with tarfile.open(fileobj=io.BytesIO(sent.content)) as archive:
            members = {member.name.partition("/")[2]: member.size for member in archive}
        assert members == {str(file.relative_to(tmp_path / "kept")): file.stat().st_size for file in files}
        another = link["url"].replace(chosen.id, "ckpt_other")
        for wrong in (link["url"][:-2], another, f"{address}/signed-archive", f"{address}/archive"):
            assert nobody.get(wrong).status_code in (401, 403), wrong


def test_a_models_file_is_downloaded_by_who_may_read_it(guarded: Guarded, job: JobView) -> None:
    with guarded.client("viewer") as viewer:
        version = viewer.models.get("tuned").latest
    file = max(version.files, key=lambda one: one.size_bytes)
    address = f"/api/models/tuned/files/{file.path}"
    with guarded.http("southerner") as south:
        assert south.post(f"{address}/link").status_code == 404
    with guarded.http("viewer") as north:
        whole = north.get(address).content
        assert [north.post(f"/api/models/tuned/files/{path}/link").status_code for path in ("no", "a/b")] == [404, 404]
        assert north.post(f"{address}/link?version=9").status_code == 404
        link = north.post(f"{address}/link?version=1").json()["url"]
    with guarded.http() as nobody:
        sent = nobody.get(link)
        assert (sent.status_code, sent.content) == (200, whole) and file.path in sent.headers["content-disposition"]
        assert sent.headers["content-length"] == str(file.size_bytes)
        rest = nobody.get(link, headers={"range": "bytes=5-"})
        assert (rest.status_code, rest.content) == (206, whole[5:])
        assert nobody.head(link).headers["content-length"] == str(file.size_bytes)
        others = (link[:-2], link.replace(file.path, "README.md"), link.replace("/tuned/", "/bert/"), address)
        assert [nobody.get(other).status_code for other in others] == [403, 403, 403, 401]
        assert nobody.get(link.replace("version=1", "version=2")).status_code == 403


def test_the_hubs_clients_come_in_with_a_key_as_their_token(guarded: Guarded, tmp_path: Path) -> None:
    rows = random.Random(1).randbytes(2 << 20)

    def hub(token: str) -> HfApi:
        return HfApi(endpoint=f"{guarded.url}/hub", token=token)

    trainer = hub(guarded.keys["trainer"])
    assert (trainer.whoami()["name"], trainer.whoami()["fullname"]) == ("north", "trainer1")
    repo = trainer.create_repo("pushed", repo_type="dataset").repo_id
    trainer.upload_file(path_or_fileobj=rows, path_in_repo="rows.parquet", repo_id=repo, repo_type="dataset")
    viewer = hub(guarded.keys["viewer"])
    place = viewer.hf_hub_download(repo, "rows.parquet", repo_type="dataset", cache_dir=tmp_path)
    assert (repo, Path(place).read_bytes()) == ("north/pushed", rows)
    with pytest.raises(HfHubHTTPError) as refused:
        viewer.upload_file(path_or_fileobj=b"x", path_in_repo="a.txt", repo_id=repo, repo_type="dataset")
    assert refused.value.response.status_code == 403
    with pytest.raises(HfHubHTTPError) as unknown:
        hub("hf_unknown").dataset_info(repo)
    assert unknown.value.response.status_code == 401 and not isinstance(unknown.value, RepositoryNotFoundError)


def test_openais_client_comes_in_with_a_key(guarded: Guarded) -> None:
    with OpenAI(base_url=f"{guarded.url}/v1", api_key=guarded.keys["viewer"], max_retries=0) as client:
        assert client.models.list().data == []
    unknown = OpenAI(base_url=f"{guarded.url}/v1", api_key="sk-unknown", max_retries=0)
    with unknown, pytest.raises(AuthenticationError) as refused:
        unknown.models.list()
    assert refused.value.code == "invalid_api_key"


def test_revoking_disabling_and_leaving_count_at_once(guarded: Guarded) -> None:
    with guarded.client("platform") as root:
        root.access.add_user("guest", PASSWORD, project="north", role=Role.ADMIN)
        session = _session(guarded.url, "guest")
        with Client(guarded.url, api_key=session) as guest:
            parent = guest.access.make_key("parent")
        with Client(guarded.url, api_key=parent.key) as guest:
            child = guest.access.make_key("child", days=3650)
            assert child.expires_at <= parent.expires_at
            root.access.set_member("north", "guest", Role.VIEWER)
            assert guest.access.whoami().role is Role.VIEWER
            root.access.update_user("guest", disabled=True)
        for token in (session, parent.key, child.key):
            assert _status(guarded, token) == 401
        root.access.update_user("guest", disabled=False)
        assert (_status(guarded, parent.key), _status(guarded, session)) == (200, 401)
        with Client(guarded.url, api_key=parent.key) as guest:
            guest.access.revoke_key(parent.id)
        assert (_status(guarded, parent.key), _status(guarded, child.key)) == (401, 401)
        root.access.remove_member("north", "guest")


def test_refresh_tokens_are_good_once(guarded: Guarded) -> None:
    with guarded.http() as http:
        first = http.post("/api/auth/login", json={"name": "viewer1", "password": PASSWORD}).json()
        second = http.post("/api/auth/refresh", json={"refreshToken": first["refreshToken"]}).json()
        assert _status(guarded, second["accessToken"]) == 200
        again = http.post("/api/auth/refresh", json={"refreshToken": first["refreshToken"]})
        assert (again.status_code, _status(guarded, second["accessToken"])) == (401, 401)


def _status(guarded: Guarded, token: str) -> int:
    with guarded.http(token) as http:
        return http.get("/api/jobs").status_code


def test_the_command_line_logs_in_and_out(guarded: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = tmp_path / "kept" / "credentials.json"
    monkeypatch.setenv("KARGAH_CREDENTIALS", str(credentials))

    def kargah(*words: str, stdin: str | None = None, expect: int = 0) -> Any:
        done = CliRunner().invoke(app, ["--url", guarded.url, *words, "--json"], input=stdin)
        assert done.exit_code == expect, done.output
        return json.loads(done.stdout)

    me = kargah("login", "--name", "admin", "--password-stdin", stdin=guarded.admin_password)
    assert (me["name"], me["project"], me["platform"]) == ("admin", "local", True)
    assert credentials.stat().st_mode & 0o777 == 0o600
    words = ["--url", guarded.url, "login", "--name", "admin", "--password-stdin"]
    told = CliRunner().invoke(app, words, input=guarded.admin_password).stdout
    assert f"Logged in at {guarded.url} for 90 days" in told and "admin in local" in told
    assert kargah("whoami")["subject"].startswith("key:")
    made = kargah("users", "add", "typed", "--project", "south", "--role", "viewer", "--password-stdin", stdin=PASSWORD)
    assert made["projects"] == [{"project": "south", "role": "viewer"}]
    assert "typed" in {user["name"] for user in kargah("users", "list")["items"]}
    assert {"local", "north", "south"} <= {project["name"] for project in kargah("projects", "list")["items"]}
    shown = CliRunner().invoke(app, ["--url", guarded.url, "projects", "list"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0 and "may wait" in shown.stdout and "north" in shown.stdout, shown.output
    limited = kargah("projects", "storage", "south", "--models", "0", "--datasets", "1.5GB")
    assert [limited[what][0]["maxBytes"] for what in ("models", "datasets")] == [0, 1_500_000_000]
    with guarded.http("southerner") as south:
        refused = south.post("/api/installs", json={"source": "package:nothing", "name": "nothing"})
        assert (refused.status_code, refused.json()["code"]) == (429, "over_quota")
    assert kargah("projects", "storage", "south", "--models", "none")["models"] == []  # no limit, and nothing there
    shown = CliRunner().invoke(app, ["--url", guarded.url, "projects", "storage"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0 and "1.5 GB (its own)" in shown.stdout and "no limit" in shown.stdout, shown.output
    assert kargah("keys", "create", "ci", "--role", "viewer")["key"].startswith("kgh_")
    done = CliRunner().invoke(app, ["--url", guarded.url, "logout"])
    assert done.exit_code == 0 and json.loads(credentials.read_text()) == {}


def _operations(guarded: Guarded) -> list[tuple[str, str, str]]:
    """Method, path and permission of everything behind the door, as the services' own documents tell."""
    with guarded.http() as http:
        document = http.get("/openapi.json").json()
    found = [
        (method.upper(), path, operation["x-needs"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    assert len(found) > 120 and {"/api/jobs", "/api/datasets", "/api/models", "/v1/models"} <= {one[1] for one in found}
    return found


def _filled(path: str, values: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda part: values.get(part[1], "nothing"), path)


def _statuses(guarded: Guarded, key: str | None, values: dict[str, str]) -> dict[tuple[str, str, str], int]:
    """What a principal is answered everywhere, with nothing in the body."""
    answers = {}
    with guarded.http(key) as http:
        for method, path, needed in _operations(guarded):
            content = None if method in ("GET", "HEAD") else b"{}"
            headers = {"content-type": "application/json"} if content else {}
            sent = http.request(method, _filled(path, values), content=content, headers=headers)
            answers[method, path, needed] = sent.status_code
    return answers


ABSENT = {"kind": "models", "number": "1"}
REACH = {
    None: set[str](),
    "viewer": {"login", "read"},
    "trainer": {"login", "read", "write"},
    "admin": {"login", "read", "write", "admin"},
    "platform": {"login", "read", "write", "admin", "platform"},
}


@pytest.mark.parametrize("key", REACH)
def test_every_route_lets_in_those_it_should(guarded: Guarded, key: str | None) -> None:
    """Allowed is what comes to the handler: there it fails, for nothing is called `nothing`."""
    wrong = {}
    for (method, path, needed), status in _statuses(guarded, key, ABSENT).items():
        if needed == "public":
            expected = status not in (401, 403) or path.startswith("/api/auth/")
        elif needed == "signed":
            expected = status in (401, 403, 404)
        elif needed in REACH[key]:
            expected = status not in (401, 403)
        else:
            expected = status == (401 if key is None else 403)
        if not expected or status in (500, 501):
            wrong[method, path, needed] = status
    assert wrong == {}


def test_nothing_of_another_project_is_reached_by_any_route(guarded: Guarded, job: JobView) -> None:
    with guarded.http("trainer") as north:
        key_id = guarded.keys["trainer"].split("_")[1]
        sha256 = north.get("/api/models/tuned/location").json()["version"]["files"][0]["sha256"]
        kept = north.get(f"/api/jobs/{job.id}/checkpoints").json()["items"][0]["id"]
        assert north.get(f"/api/jobs/{job.id}/checkpoints/{kept}/files").is_success
        before = [north.get(path).json() for path in ("/api/models/tuned", "/api/datasets/qa", f"/api/jobs/{job.id}")]
    reached, told = {}, {}
    for kind, name in (("models", "tuned"), ("datasets", "qa")):
        values = {"kind": kind, "name": name, "job_id": job.id, "key_id": key_id, "sha256": sha256, "project": "north"}
        values |= {
            "model_id": name,
            "place": "main",
            "revision": "main",
            "number": "1",
            "owner": "north",
            "alias": "v1",
            "checkpoint_id": kept,
            "path": "state.json",
        }
        with guarded.http("southerner") as south:
            for method, path, needed in _operations(guarded):
                if needed in ("public", "signed"):
                    continue
                content = None if method in ("GET", "HEAD") else b"{}"
                answer = south.request(method, _filled(path, values), content=content)
                if "{" in path and answer.is_success and not _is_empty(answer):
                    reached[method, path] = answer.status_code
                if job.id in answer.text and answer.is_success:
                    told[method, path] = answer.text[:200]
    assert (reached, told) == ({}, {})
    with guarded.http("trainer") as north:
        after = [north.get(path).json() for path in ("/api/models/tuned", "/api/datasets/qa", f"/api/jobs/{job.id}")]
    assert after == before


def _is_empty(answer: httpx.Response) -> bool:
    """A list of nothing: of somebody's own, under a name that another project has, too."""
    return answer.text in ("", "[]", '{"items":[],"nextCursor":null,"total":0}')
