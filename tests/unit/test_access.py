"""Tokens, keys, passwords and roles, and the guard of a service where people must log in."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from flask import Flask, Response
from pydantic import ValidationError

from kargah.access import api_keys, passwords, tokens
from kargah.access.principal import LOCAL_ADMIN, Principal, current_principal
from kargah.access.roles import PEOPLE, Permission, Role, lesser
from kargah.access.secret import weakness
from kargah.domain.scope import EVERY, current_project
from kargah.web.api import Api
from kargah.web.app import create_app
from kargah.web.settings import WebSettings

SECRET = "0f9b1d7c5a3e8246f0c2b4d6e8a1937500112233445566778899aabbccddeeff"
TRAINER = Principal("user:usr_1", "sara", Role.TRAINER, "north")


def _claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {"sub": "s", "name": "n", "role": "admin", "project": "p", "platform": False}
    return {
        name: value
        for name, value in {**claims, "aud": tokens.SERVICES, "iat": now, "exp": now + 60, **changed}.items()
        if value is not ...
    }


def _unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


class TestTokens:
    def test_a_principal_survives_the_way_to_another_service(self) -> None:
        assert tokens.read_service_token(SECRET, tokens.mint_service_token(SECRET, TRAINER)) == TRAINER

    @pytest.mark.parametrize("missing", ["exp", "iat", "aud", "sub", "role", "project"])
    def test_every_claim_is_required(self, missing: str) -> None:
        with pytest.raises(tokens.BadToken):
            tokens.read_service_token(SECRET, jwt.encode(_claims(**{missing: ...}), SECRET, algorithm="HS256"))

    @pytest.mark.parametrize(
        "make",
        [
            lambda: _unsigned(_claims()),
            lambda: jwt.encode(_claims(), SECRET, algorithm="HS512"),
            lambda: jwt.encode(_claims(), SECRET[::-1], algorithm="HS256"),
            lambda: jwt.encode(_claims(exp=int(time.time()) - 60), SECRET, algorithm="HS256"),
            lambda: jwt.encode(_claims(aud=tokens.SESSIONS), SECRET, algorithm="HS256"),
            lambda: jwt.encode(_claims(aud=[tokens.SERVICES]), SECRET, algorithm="HS256"),
            lambda: jwt.encode(_claims(role="root"), SECRET, algorithm="HS256"),
            lambda: tokens.mint_session_token(SECRET, "usr_1", "s"),
            lambda: "",
            lambda: "a.b.c",
        ],
    )
    def test_others_are_refused(self, make: Callable[[], str]) -> None:
        with pytest.raises(tokens.BadToken):
            tokens.read_service_token(SECRET, make())

    def test_a_services_token_is_no_session(self) -> None:
        with pytest.raises(tokens.BadToken):
            tokens.read_session_token(SECRET, tokens.mint_service_token(SECRET, TRAINER))


def test_a_download_token_is_good_for_its_address_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    token = tokens.mint_download_token(SECRET, TRAINER, "north", "/api/a")
    assert tokens.read_download_token(SECRET, token, "/api/a") == (TRAINER.subject, "north")
    for secret, shown, address in (
        (SECRET, token, "/api/b"),
        (SECRET[::-1], token, "/api/a"),
        (SECRET, tokens.mint_service_token(SECRET, TRAINER), "/api/a"),
        (SECRET, "", "/api/a"),
    ):
        with pytest.raises(tokens.BadToken):
            tokens.read_download_token(secret, shown, address)
    now = time.time()
    monkeypatch.setattr(tokens.time, "time", lambda: now - tokens.DOWNLOAD_SECONDS - 60)
    old = tokens.mint_download_token(SECRET, TRAINER, "north", "/api/a")
    with pytest.raises(tokens.BadToken, match="expired"):
        tokens.read_download_token(SECRET, old, "/api/a")


@pytest.mark.parametrize("secret", ["short", "a" * 64, "abcabcabc" * 8, "change-me-0f9b1d7c5a3e8246f0c2b4d6", ""])
def test_weak_secrets_keep_a_service_from_starting(secret: str) -> None:
    assert weakness(secret) is not None
    with pytest.raises(ValidationError, match="openssl rand -hex 32"):
        WebSettings(auth="on", jwt_secret=secret)  # type: ignore[arg-type]


def test_a_secret_comes_from_the_environment_or_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="it is missing"):
        WebSettings(auth="on")
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    monkeypatch.setenv("KARGAH_AUTH", "on")
    monkeypatch.setenv("KARGAH_JWT_SECRET_FILE", str(file))
    settings = WebSettings(host="0.0.0.0")
    assert settings.service_secret == SECRET and SECRET not in repr(settings)
    monkeypatch.setenv("KARGAH_JWT_SECRET", SECRET)
    with pytest.raises(ValidationError, match="contradict"):
        WebSettings()


def test_keys_are_kept_as_digests() -> None:
    made = api_keys.new_key()
    parts = api_keys.split_key(made.text)
    assert parts is not None and parts[0] == made.id and api_keys.is_right(parts[1], made.digest)
    assert not api_keys.is_right(parts[1][:-1] + "!", made.digest)
    assert parts[1] not in repr(made.digest) and len(parts[1]) * 6 >= 128
    assert api_keys.split_key(made.text, api_keys.REFRESH_PREFIX) is None
    assert [api_keys.split_key(text) for text in ("", "kgh_", "kgh_x_y", made.text + "\n", "hf_" + made.text)] == [
        None
    ] * 5


def test_passwords_are_kept_as_argon2id_and_weak_ones_refused() -> None:
    hashed = passwords.hash_password("three-words-and-more")
    assert hashed.startswith("$argon2id$") and passwords.is_right("three-words-and-more", hashed)
    assert not passwords.is_right("three-words-and-mor", hashed) and not passwords.is_right("x", None)
    assert not passwords.is_right("nobody has this password", None)
    for weak in ("short", "aaaaaaaaaaaaaaaa", "password123456", "saranovinfar1", "x" * 300):
        assert passwords.weakness(weak, "saranovinfar") is not None
    assert passwords.weakness("three-words-and-more") is None


def test_roles_are_a_ladder() -> None:
    rights = [{one for one in Permission if Principal("s", "n", role, "p").may(one)} for role in PEOPLE]
    assert rights[0] < rights[1] < rights[2] and Permission.PLATFORM not in rights[2]
    assert lesser(Role.ADMIN, Role.VIEWER) is Role.VIEWER
    assert all(LOCAL_ADMIN.may(one) for one in Permission)


def _app(**settings: Any) -> Flask:
    api = Api("guarded", "1")

    @api.get("/read")
    def read() -> Response:
        """Whose request it is, told by the handler and by the body while it is sent."""

        def body() -> Iterator[str]:
            yield f"{current_principal().subject} {current_project()}"

        return Response(body())

    @api.post("/write", status=204)
    def write() -> None:
        """Change something."""

    @api.post("/look", needs=Permission.READ, status=204)
    def look() -> None:
        """Change nothing."""

    @api.get("/administer", needs=Permission.ADMIN, status=204)
    def administer() -> None:
        """See what admins see."""

    return create_app("guarded", api, {}, WebSettings(**settings))


def _answers(app: Flask, principal: Principal | None) -> dict[str, int]:
    token = tokens.mint_service_token(SECRET, principal) if principal is not None else None
    headers = {"authorization": f"Bearer {token}"} if token is not None else {}
    client = app.test_client()
    calls = (("GET", "/read"), ("POST", "/look"), ("POST", "/write"), ("GET", "/administer"), ("GET", "/none"))
    return {path: client.open(path, method=method, headers=headers).status_code for method, path in calls}


@pytest.fixture(scope="module")
def guarded() -> Flask:
    return _app(auth="on", jwt_secret=SECRET, metrics_token=SECRET[::-1])


class TestGuard:
    def test_each_role_gets_as_far_as_it_should(self, guarded: Flask) -> None:
        paths = ["/read", "/look", "/write", "/administer", "/none"]
        expected = {
            None: [401, 401, 401, 401, 404],
            Role.VIEWER: [200, 204, 403, 403, 404],
            Role.TRAINER: [200, 204, 204, 403, 404],
            Role.ADMIN: [200, 204, 204, 204, 404],
            Role.SERVICE: [200, 204, 204, 403, 404],
        }
        for role, statuses in expected.items():
            principal = Principal("s", "n", role, "north") if role is not None else None
            assert _answers(guarded, principal) == dict(zip(paths, statuses, strict=True)), role

    def test_the_scope_lasts_until_the_body_is_sent_and_no_longer(self, guarded: Flask) -> None:
        headers = {"authorization": f"Bearer {tokens.mint_service_token(SECRET, TRAINER)}"}
        answer = guarded.test_client().get("/read", headers=headers, buffered=False)
        assert current_project() == EVERY
        assert answer.get_data(as_text=True) == "user:usr_1 north"
        assert (current_project(), current_principal()) == (EVERY, LOCAL_ADMIN)

    def test_metrics_open_to_the_collectors_token(self, guarded: Flask) -> None:
        client = guarded.test_client()
        statuses = {
            token: client.get("/metrics", headers={"authorization": f"Bearer {token}"}).status_code
            for token in (SECRET[::-1], SECRET, tokens.mint_service_token(SECRET, TRAINER))
        }
        assert list(statuses.values()) == [200, 401, 403]
        assert client.get("/metrics").status_code == 401
        assert client.get("/healthz").status_code == 200

    @pytest.mark.parametrize("header", ["", "Bearer", "Basic eDp5", "Bearer  ", "bearer a.b.c"])
    def test_other_credentials_are_none(self, guarded: Flask, header: str) -> None:
        answer = guarded.test_client().get("/read", headers={"authorization": header})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="kargah"')
        assert answer.get_json()["code"] == "unauthenticated"

    def test_where_nobody_logs_in_everything_is_open(self) -> None:
        assert _answers(_app(), None) == {"/read": 200, "/look": 204, "/write": 204, "/administer": 204, "/none": 404}
