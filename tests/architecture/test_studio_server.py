"""The Studio's own server in deployments: nginx says what the gateway says, and everything before it leads to it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from gateway.studio import STUDIO_PUBLIC, add_studio
from kargah.web.api import Api
from kargah.web.app import create_app
from kargah.web.settings import WebSettings

ROOT = Path(__file__).parents[2]
CONF = (ROOT / "deploy" / "studio" / "nginx.conf").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "deploy" / "docker" / "studio.Dockerfile").read_text(encoding="utf-8")
PORT = 8084
# Of this file and this request; the rest is policy.
_OF_THE_FILE = {"accept-ranges", "content-disposition", "content-length", "content-type", "date", "etag"}
_OF_THE_FILE |= {"last-modified", "x-request-id"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder = tmp_path_factory.mktemp("studio")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<title>Studio</title>")
    (folder / "assets" / "index-1a2b.js").write_text("1")
    app = create_app("gateway", Api("Kargah", ""), {}, WebSettings(), needs=STUDIO_PUBLIC)
    add_studio(app, folder)
    return app.test_client()


@pytest.mark.parametrize("address", ["/studio/jobs/job_1", "/studio/assets/index-1a2b.js"])
def test_nginx_sends_the_headers_that_the_gateway_sends(gateway: FlaskClient, address: str) -> None:
    answer = gateway.get(address, buffered=True)
    sent = {name.lower(): value for name, value in answer.headers if name.lower() not in _OF_THE_FILE}
    told = dict(re.findall(r'^\s+add_header (\S+) "?(.*?)"?(?: always)?;$', CONF, re.MULTILINE))
    assert told.pop("cache-control") == "$kept"
    by_address = re.search(r"map \$uri \$kept {(.*?)}", CONF, re.DOTALL)
    assert by_address is not None
    kept = dict(re.findall(r'^\s+(\S+) "(.*?)";', by_address[1], re.MULTILINE))
    special = [kept[pattern] for pattern in kept if pattern[0] == "~" and re.match(pattern[1:], address)]
    assert sent == {**told, "cache-control": (special or [kept["default"]])[0]}


def test_no_location_has_a_header_of_its_own() -> None:
    """It would send none of the server's then."""
    for place in re.findall(r"location .*?{(.*?)}", CONF, re.DOTALL):
        assert "add_header" not in place


def test_it_listens_where_all_others_look() -> None:
    assert f"listen {PORT};" in CONF
    assert f"\nEXPOSE {PORT}\n" in DOCKERFILE and f"http://127.0.0.1:{PORT}/healthz" in DOCKERFILE
    assert f"reverse_proxy studio:{PORT}\n" in (ROOT / "deploy" / "compose" / "Caddyfile").read_text()
    container = _pod()["containers"][0]
    assert container["ports"] == [{"name": "http", "containerPort": PORT}]
    for probe in ("livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": "/healthz", "port": "http"}


def test_both_doors_lead_to_it_with_the_same_addresses() -> None:
    caddy = re.search(r"@studio path (.*)\n\thandle @studio {", (ROOT / "deploy" / "compose" / "Caddyfile").read_text())
    assert caddy is not None and caddy[1].split() == ["/", "/studio", "/studio/*"]
    ingress = yaml.safe_load((ROOT / "deploy" / "k8s" / "components" / "ingress" / "ingress.yaml").read_text())
    (rule,) = ingress["spec"]["rules"]
    paths = [
        (path["path"], path["pathType"], path["backend"]["service"]["name"], path["backend"]["service"]["port"]["name"])
        for path in rule["http"]["paths"]
    ]
    assert paths == [
        ("/", "Exact", "studio", "http"),
        ("/studio", "Prefix", "studio", "http"),
        ("/", "Prefix", "gateway", "http"),
    ]


def test_the_pod_is_restricted_and_writes_to_tmp_only() -> None:
    pod = _pod()
    container = pod["containers"][0]
    assert pod["automountServiceAccountToken"] is False and pod["serviceAccountName"] == "studio"
    assert pod["securityContext"]["runAsNonRoot"] is True and pod["securityContext"]["runAsUser"] == 10001
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {"requests", "limits"} <= set(container["resources"])
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]
    written = re.findall(r"^\s*(?:pid|\w+_temp_path) (\S+);", CONF, re.MULTILINE)
    assert len(written) == 6 and all(path.startswith("/tmp/") for path in written)


def test_the_image_is_made_by_the_node_of_the_wheel_and_runs_as_nobody() -> None:
    wheel = (ROOT / "requirements" / "node.txt").read_text().strip().partition("==")[2]
    assert f"ARG NODE_IMAGE=node:{wheel}-" in DOCKERFILE
    assert "\nUSER 10001:10001\n" in DOCKERFILE
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["studio"]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"] and "ports" not in service


def test_what_a_build_here_left_is_not_sent_to_the_builder() -> None:
    """The images must not depend on whether somebody ran `make studio` before."""
    left = (ROOT / ".gitignore").read_text().splitlines()
    kept_out = (ROOT / ".dockerignore").read_text().splitlines()
    for path in ("/services/studio/src/api/schema.d.ts", "/services/studio/openapi.json"):
        assert path in left and path.removeprefix("/") in kept_out
    assert "/services/gateway/src/gateway/studio_files/" in left and "**/studio_files" in kept_out


def _pod() -> dict[str, Any]:
    documents = yaml.safe_load_all((ROOT / "deploy" / "k8s" / "base" / "studio.yaml").read_text())
    pod: dict[str, Any] = next(each for each in documents if each["kind"] == "Deployment")["spec"]["template"]["spec"]
    return pod
