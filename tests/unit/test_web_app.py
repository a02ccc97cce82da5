"""The glue around every service: bad input gets its answer, and nothing that goes wrong gets out as it is."""

from __future__ import annotations

import io
import json
import logging
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask, Response, url_for
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import Field, SecretStr, ValidationError
from werkzeug.test import TestResponse

from kargah.contracts.base import Page, Wire, WireRequest
from kargah.contracts.jobs import JobView
from kargah.contracts.problem import Problem
from kargah.domain.errors import Conflict, FieldError, Invalid, NotFound, Unavailable
from kargah.domain.hosts import is_loopback
from kargah.web.api import Api, Reply
from kargah.web.app import create_app
from kargah.web.envelopes import ErrorBody
from kargah.web.paging import PageQuery, decode_cursor, encode_cursor
from kargah.web.settings import WebSettings

JSON = "application/json"
_SECRET = "0f9b1d7c5a3e8246" * 4


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class ThingCreate(WireRequest):
    name: str = Field(min_length=1, max_length=20)
    batch_size: int = Field(default=1, ge=1, le=64)
    colour: Colour = Colour.RED
    labels: dict[str, Any] = {}


class ThingView(Wire):
    name: str
    batch_size: int
    colour: Colour


class OddError(Wire):
    odd: str


class ThingQuery(PageQuery):
    colour: Colour | None = None
    only_new: bool = False


def _api() -> Api:
    api = Api("things", "1.2.3")

    @api.post("/api/things", body=ThingCreate, returns=ThingView, status=201, other_statuses=(200,), tags=["things"])
    def create_thing(body: ThingCreate) -> ThingView | Reply:
        """Make a thing.

        More than one line.
        """
        view = ThingView(name=body.name, batch_size=body.batch_size, colour=body.colour)
        return Reply(view, status=200, headers={"location": "/api/things/x"}) if body.name == "again" else view

    @api.get("/api/things", query=ThingQuery, returns=Page[ThingView])
    def list_things(query: ThingQuery) -> Page[ThingView]:
        return Page[ThingView](items=[], total=query.limit)

    @api.get("/api/things/<path:name>", returns=ThingView)
    def get_thing(name: str) -> ThingView:
        raise NotFound(f"There is no thing {name!r}.", hint="Make one.")

    @api.head("/api/things/<path:name>")
    def ask_thing(name: str) -> Reply:
        return Reply(headers={"x-asked": "yes"})

    @api.delete("/api/things/<path:name>", status=204)
    def delete_thing(name: str) -> None:
        return None

    @api.post("/api/things/<int:number>/pause", body=ThingQuery, optional_body=True, status=204)
    def pause_thing(number: int, body: ThingQuery) -> None:
        raise Conflict(f"Thing {number} is paused.", errors=[FieldError("status", "paused")])

    @api.get("/api/content", produces="text/csv")
    def get_content() -> Response:
        return Response("a,b\n", content_type="text/csv")

    @api.get("/api/jobs", returns=Page[JobView])
    def list_jobs() -> Page[JobView]:
        raise Unavailable("The database does not answer.")

    _add_texts(api)
    return api


def _add_texts(api: Api) -> None:
    @api.get("/api/lines", returns=ThingView, streams="text/plain")
    def get_lines() -> Response:
        return Response("a", content_type="text/plain")

    @api.get("/v1/things", returns=ThingView, streams="text/event-stream", errors=OddError)
    def get_events() -> Response:
        return Response("data: a", content_type="text/event-stream")


def _failing_api() -> Api:
    api = Api("failing", "1")

    @api.get("/api/secret")
    def fail() -> None:
        raise RuntimeError("password=hunter2")

    @api.get("/api/undeclared")
    def undeclared() -> Any:
        return {"a": 1}

    @api.get("/api/other", returns=ThingView)
    def other() -> Any:
        return Problem(title="x", status=1, code="x", detail="x")

    @api.get("/v1/refused")
    def refused() -> None:
        raise Invalid("Odd.", errors=[FieldError("model", "unknown")])

    return api


def _openai(problem: Problem) -> ErrorBody:
    body = {"error": {"message": problem.detail, "code": problem.code}}
    return ErrorBody(400, JSON, json.dumps(body).encode(), {"x-should-retry": "false"})


def _app(**settings: Any) -> Flask:
    checks = {"good": lambda: None}
    return create_app("test", [_api(), _failing_api()], checks, WebSettings(**settings), envelopes={"/v1/": _openai})


@pytest.fixture(scope="module")
def app() -> Flask:
    return _app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def _json(answer: TestResponse) -> Any:
    return answer.json


def _post(client: FlaskClient, data: bytes, content_type: str = JSON) -> Any:
    return client.post("/api/things", data=data, content_type=content_type)


def test_a_good_request_round_trips_in_camel_case(client: FlaskClient) -> None:
    answer = client.post("/api/things", json={"name": "a", "batchSize": 3, "colour": "green"})
    assert answer.status_code == 201
    assert answer.json == {"name": "a", "batchSize": 3, "colour": "green"}
    assert _json(client.post("/api/things", json={"name": "a", "batch_size": 4}))["batchSize"] == 4


def test_a_reply_carries_another_status_and_headers(client: FlaskClient) -> None:
    answer = client.post("/api/things", json={"name": "again"})
    assert (answer.status_code, answer.headers["location"]) == (200, "/api/things/x")


BAD_BODIES: list[tuple[bytes, str, int, str | None]] = [
    (b"", JSON, 400, None),
    (b"[" * 100_000, JSON, 400, None),
    (b'{"name": NaN}', JSON, 400, None),
    (b'{"name": "a", "name": "b"}', JSON, 400, None),
    (b'{"name": "\xff"}', JSON, 400, None),
    (b'{"name": "\\u0000"}', JSON, 422, "name"),
    (b'{"name": "a", "labels": {"x": ["\\ud800"]}}', JSON, 422, "labels.x[0]"),
    (b'{"name": "a", "batchSize": 65}', JSON, 422, "batchSize"),
    (b'{"name": "a", "batchSize": 1000000000000000000000}', JSON, 422, "batchSize"),
    (b'{"name": "a", "batchSize": true}', JSON, 422, "batchSize"),
    (b'{"name": "a", "batchSize": "5"}', JSON, 422, "batchSize"),
    (b'{"name": "a", "colour": "blue"}', JSON, 422, "colour"),
    (b'{"name": "a", "unknown": 1}', JSON, 422, "unknown"),
    (b"{}", JSON, 422, "name"),
    (b"[]", JSON, 422, "body"),
    (b"{}", "text/plain", 415, None),
    (b"name=a", "application/x-www-form-urlencoded", 415, None),
    (b'{"name": "' + b"a" * (1 << 20) + b'"}', JSON, 413, None),
]


@pytest.mark.parametrize(("data", "content_type", "status", "field"), BAD_BODIES)
def test_bad_bodies(client: FlaskClient, data: bytes, content_type: str, status: int, field: str | None) -> None:
    answer = _post(client, data, content_type)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    problem = Problem.model_validate_json(answer.data)
    assert problem.status == status
    assert problem.request_id == answer.headers["x-request-id"]
    if field is not None:
        assert field in [error.field for error in problem.errors]


def test_a_body_without_declared_length_is_limited_too(client: FlaskClient) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            self.given += max(size, 0)
            return b" " * max(size, 0)

    source = Endless()
    environ = {"wsgi.input": source, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    answer = client.post("/api/things", content_type=JSON, environ_overrides=environ)
    assert answer.status_code == 413
    assert source.given <= (1 << 20) + 1


@given(data=st.binary(max_size=300), path=st.text(max_size=30), query=st.text(max_size=30))
def test_nothing_from_outside_is_an_internal_error(data: bytes, path: str, query: str) -> None:
    client = _FUZZED.test_client()
    for method, target in (
        ("POST", "/api/things"),
        ("GET", f"/api/things/{quote(path)}"),
        ("DELETE", f"/{quote(path, safe='')}"),
    ):
        answer = client.open(target, method=method, data=data, content_type=JSON, query_string=query)
        assert answer.status_code < 500, answer.data


_FUZZED = _app()


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("limit=5&colour=red&onlyNew=true", 200, None),
        ("only_new=false", 200, None),
        ("", 200, None),
        ("limit=0", 422, "limit"),
        ("limit=201", 422, "limit"),
        ("limit=5x", 422, "limit"),
        ("limit=", 422, "limit"),
        ("limit=5.5", 422, "limit"),
        ("limit=1&limit=2", 422, "limit"),
        ("colour=blue", 422, "colour"),
        ("other=1", 422, "other"),
        ("cursor=%00", 422, "cursor"),
        ("cursor=%ff", 400, None),
    ],
)
def test_queries_are_strict(client: FlaskClient, query: str, status: int, field: str | None) -> None:
    answer = client.get(f"/api/things?{query}")
    assert answer.status_code == status
    if field is not None:
        assert [error["field"] for error in _json(answer)["errors"]] == [field]


def test_a_route_without_query_takes_none(client: FlaskClient) -> None:
    assert client.get("/api/content?x=1").status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/things/owner/name", 404, "not_found"),
        ("GET", "/nowhere", 404, "not_found"),
        ("PUT", "/api/things", 405, "method_not_allowed"),
        ("GET", "/api/things/a%00b", 422, "invalid"),
        ("POST", "/api/things/7/pause", 409, "conflict"),
        ("GET", "/api/jobs", 503, "unavailable"),
    ],
)
def test_errors_are_problems(client: FlaskClient, method: str, path: str, status: int, code: str) -> None:
    answer = client.open(path, method=method)
    assert (answer.status_code, _json(answer)["code"]) == (status, code)
    assert _json(answer)["title"] and _json(answer)["detail"]
    assert ("retry-after" in answer.headers) == (status == 503)
    assert ("allow" in answer.headers) == (status == 405)


def test_hints_reach_the_caller(client: FlaskClient) -> None:
    assert _json(client.get("/api/things/x"))["hint"] == "Make one."


@pytest.mark.parametrize("path", ["/api/secret", "/api/undeclared", "/api/other"])
def test_internals_stay_inside(client: FlaskClient, caplog: pytest.LogCaptureFixture, path: str) -> None:
    with caplog.at_level(logging.ERROR):
        answer = client.get(path)
    assert answer.status_code == 500
    assert b"hunter2" not in answer.data
    assert b"Traceback" not in answer.data
    assert any(isinstance(record.msg, dict) and record.msg.get("exc_info") for record in caplog.records)


def test_another_prefix_speaks_another_dialect(client: FlaskClient) -> None:
    answer = client.get("/v1/refused")
    assert (answer.status_code, answer.content_type) == (400, JSON)
    assert answer.json == {"error": {"message": "Odd.", "code": "invalid"}}
    assert answer.headers["x-should-retry"] == "false"
    assert _json(client.get("/v1/nowhere"))["error"]["code"] == "not_found"


def test_head_and_delete(client: FlaskClient) -> None:
    asked = client.head("/api/things/a/b")
    assert (asked.status_code, asked.headers["x-asked"], asked.data) == (200, "yes", b"")
    deleted = client.delete("/api/things/a/b")
    assert (deleted.status_code, deleted.data) == (204, b"")
    assert "content-type" not in deleted.headers


def test_an_optional_body_may_be_empty_whatever_its_type(client: FlaskClient) -> None:
    assert client.post("/api/things/7/pause", data=b"", content_type=JSON).status_code == 409
    assert client.post("/api/things/7/pause", json={"limit": 0}).status_code == 422


def test_no_address_is_made_of_a_name(client: FlaskClient) -> None:
    """Nor is anything prepared for it, at every service's start."""
    with client.application.test_request_context(), pytest.raises(NotImplementedError):
        url_for("healthz")


def test_request_ids_are_kept_or_made(client: FlaskClient) -> None:
    assert client.get("/healthz", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    for odd in ("", "x" * 65, "a b", "<script>"):
        made = client.get("/healthz", headers={"x-request-id": odd}).headers["x-request-id"]
        assert made.startswith("req_")


class TestGuard:
    @pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000", "127.5.5.5"])
    def test_its_own_names_are_answered(self, client: FlaskClient, host: str) -> None:
        assert client.get("/healthz", headers={"host": host}).status_code == 200
        assert client.get("/healthz", headers={"host": host, "origin": f"http://{host}"}).status_code == 200

    @pytest.mark.parametrize(
        "host",
        ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "a@127.0.0.1", "10.0.0.1", "", "[", "::1"],
    )
    def test_foreign_hosts_are_refused(self, client: FlaskClient, host: str) -> None:
        answer = client.get("/healthz", headers={"host": host})
        assert (answer.status_code, _json(answer)["code"]) == (403, "forbidden")

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example",
            "null",
            "http://127.0.0.1.evil.example",
            "file://",
            "http://a@localhost",
            "http://127.0.0.1:1",
            "http://localhost:1.evil.example",
            "",
        ],
    )
    def test_foreign_origins_are_refused(self, client: FlaskClient, origin: str) -> None:
        answer = client.post("/api/things", json={"name": "a"}, headers={"origin": origin})
        assert answer.status_code == 403

    def test_further_names_can_be_allowed(self) -> None:
        client = _app(allowed_hosts=["Kargah.example"]).test_client()
        assert client.get("/healthz", headers={"host": "kargah.example"}).status_code == 200
        assert client.get("/healthz", headers={"host": "other.example"}).status_code == 403

    def test_an_open_network_is_not_guarded_unless_names_are_given(self) -> None:
        client = _app(host="0.0.0.0", auth="on", jwt_secret=_SECRET).test_client()
        assert client.get("/healthz", headers={"host": "registry:8000"}).status_code == 200

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "example.org"])
    def test_an_open_network_needs_people_to_log_in(self, host: str) -> None:
        with pytest.raises(ValidationError, match="KARGAH_AUTH=on"):
            WebSettings(host=host)
        assert not WebSettings(host=host, auth="on", jwt_secret=SecretStr(_SECRET)).loopback

    @given(st.text(max_size=20))
    def test_loopback_is_decided_for_any_text(self, host: str) -> None:
        assert is_loopback(host) in (True, False)


class TestHealth:
    def test_ready_names_what_failed(self) -> None:
        def broken() -> None:
            raise ConnectionError("postgresql://user:secret@host")

        app = create_app("test", _api(), {"database": broken, "store": lambda: None}, WebSettings())
        answer = app.test_client().get("/readyz")
        assert (answer.status_code, _json(answer)["failed"]) == (503, ["database"])
        assert b"secret" not in answer.data
        assert app.test_client().get("/healthz").status_code == 200

    def test_ready(self, client: FlaskClient) -> None:
        answer = client.get("/readyz")
        assert (answer.status_code, _json(answer)["checks"]) == (200, ["good"])

    def test_metrics_count_by_route_template(self) -> None:
        client = _app().test_client()
        for name in ("a", "b", "c/d"):
            client.get(f"/api/things/{name}")
        client.open("/nowhere", method="BREW")
        text = client.get("/metrics").data.decode()
        labels = 'method="GET",route="/api/things/<path:name>",service="test",status="404"'
        assert f"kargah_http_requests_total{{{labels}}} 3.0" in text
        assert f"kargah_http_request_duration_seconds_count{{{labels}}} 3.0" in text
        assert 'method="other",route="unmatched"' in text
        assert "process_resident_memory_bytes" in text

    def test_apps_do_not_share_metrics(self) -> None:
        first, second = _app().test_client(), _app().test_client()
        first.get("/api/content")
        assert b'route="/api/content"' not in second.get("/metrics").data


class TestDocument:
    @pytest.fixture
    def document(self, client: FlaskClient) -> Any:
        return client.get("/openapi.json").json

    def test_it_is_valid_openapi(self, document: Any) -> None:
        assert document["openapi"].startswith("3.1")
        OpenAPIV31SpecValidator(document).validate()

    def test_enums_and_views_are_shared_components(self, document: Any) -> None:
        schemas = document["components"]["schemas"]
        assert schemas["Colour"]["enum"] == ["red", "green"]
        assert schemas["Status"]["enum"][0] == "pending"
        assert schemas["ThingCreate"]["properties"]["colour"]["$ref"] == "#/components/schemas/Colour"
        assert json.dumps(document).count('"enum": ["red", "green"]') == 1

    def test_operations_tell_their_input_and_output(self, document: Any) -> None:
        create = document["paths"]["/api/things"]["post"]
        assert (create["operationId"], create["summary"], create["tags"]) == (
            "create_thing",
            "Make a thing.",
            ["things"],
        )
        assert set(create["responses"]) == {"200", "201", "default"}
        assert create["requestBody"]["required"] is True
        parameters = {one["name"]: one for one in document["paths"]["/api/things"]["get"]["parameters"]}
        assert set(parameters) == {"limit", "cursor", "colour", "onlyNew"}
        assert parameters["limit"]["schema"]["maximum"] == 200
        path = document["paths"]["/api/things/{name}"]
        assert set(path) == {"get", "head", "delete"}
        assert path["get"]["parameters"][0]["in"] == "path"

    def test_an_answer_that_may_be_text_says_so_and_an_error_of_another_form_too(self, document: Any) -> None:
        lines = document["paths"]["/api/lines"]["get"]["responses"]
        assert lines["200"]["content"]["text/plain"] == {"schema": {"type": "string"}}
        assert lines["default"] == {"$ref": "#/components/responses/Problem"}
        events = document["paths"]["/v1/things"]["get"]["responses"]
        assert set(events["200"]["content"]) == {JSON, "text/event-stream"}
        assert events["default"]["content"] == {JSON: {"schema": {"$ref": "#/components/schemas/OddError"}}}

    def test_an_operation_id_is_used_once(self) -> None:
        api = Api("twice", "1")
        api.get("/a")(_nothing)
        with pytest.raises(ValueError, match="_nothing"):
            api.get("/b")(_nothing)
        other = Api("other", "1")
        other.get("/c")(_nothing)
        with pytest.raises(ValueError, match="_nothing"):
            create_app("test", [api, other], {}, WebSettings())


def _nothing() -> None:
    return None


_STORABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


class TestCursor:
    @given(st.text(_STORABLE, max_size=50), st.integers(1 - (1 << 31), (1 << 31) - 1))
    def test_it_comes_back(self, text: str, number: int) -> None:
        assert decode_cursor(encode_cursor(text, number), str, int) == (text, number)

    @given(st.text(max_size=50))
    def test_anything_else_is_refused(self, text: str) -> None:
        try:
            values = decode_cursor(text, str, int)
        except Invalid as error:
            assert error.errors[0].field == "cursor"
        else:
            assert [type(value) for value in values] == [str, int]

    def test_kinds_are_exact(self) -> None:
        for values in ((1, 1), ("a", True), ("a", 1.0), ("a",), ("a\0", 1), ("\ud800", 1), ("a", 1 << 31)):
            with pytest.raises(Invalid):
                decode_cursor(encode_cursor(*values), str, int)
