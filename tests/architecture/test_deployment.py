"""docker-compose.yml, the Kubernetes manifests and the Dockerfiles name what there is, and hold no secret.

`make deploy-check` judges them by the schemas of the tools; this is what those cannot know.
"""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kargah.embedded.ports import LOOPBACK
from kargah.embedded.topology import OWNERS, Endpoints, Ports, services

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "k8s"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
PROCESSES = {
    service.name: service
    for service in services(
        Path("data"), Ports(8080, 8082, 8081, 9100, 8083), Endpoints(lambda role: role, "http://s3", "key", "secret")
    )
}
_OURS = ("proxy", "prometheus", "grafana")  # the published ones
_SETTING = re.compile(r"\bKARGAH_[A-Z0-9_]+")


def _documents(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(folder.rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            assert isinstance(document, dict), f"{path}: an empty document"
            yield path, document


def _files(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    assert listed
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def _deployments() -> dict[str, dict[str, Any]]:
    return {
        document["metadata"]["name"]: document["spec"]["template"]["spec"]
        for _path, document in _documents(KUBERNETES / "base")
        if document["kind"] == "Deployment"
    }


def test_every_process_of_the_stack_is_in_both() -> None:
    ours = {name for name, service in COMPOSE["services"].items() if "build" in service}
    assert ours == {*PROCESSES, "database", "studio"}
    assert set(_deployments()) == {*PROCESSES, "studio"}


def test_every_image_is_built_and_has_a_tag_in_every_overlay() -> None:
    built = {path.name.removesuffix(".Dockerfile") for path in (ROOT / "deploy" / "docker").glob("*.Dockerfile")}
    assert built == {*PROCESSES, "database", "studio"}
    for overlay in ("local", "production"):
        listed = yaml.safe_load((KUBERNETES / "overlays" / overlay / "kustomization.yaml").read_text())["images"]
        assert {image["name"] for image in listed} == {f"kargah/{name}" for name in built}, overlay
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    for told in (r"for service in ([a-z -]+); do docker build", r"kind load docker-image kargah/{([a-z,-]+)}"):
        found = re.search(told, page)
        assert found is not None and set(re.split("[ ,]", found[1])) == built


@pytest.mark.parametrize("name", PROCESSES)
def test_an_image_runs_its_module_as_nobody_and_says_when_it_is_ready(name: str) -> None:
    text = (ROOT / "deploy" / "docker" / f"{name}.Dockerfile").read_text()
    process = PROCESSES[name]
    assert f'CMD ["python", "-m", "{process.module}"]' in text
    assert f"EXPOSE {process.port}" in text
    assert f"('127.0.0.1', {process.port})" in text and "GET /readyz " in text
    assert text.count("FROM ${BASE_IMAGE}") == 2 and "\nUSER 10001:10001\n" in text


@pytest.mark.parametrize("name", [*PROCESSES, "database"])
def test_an_image_has_the_bytecode_of_all_that_it_runs(name: str) -> None:
    """Nothing may be written there later, so what is not compiled with the image is compiled at every start."""
    text = (ROOT / "deploy" / "docker" / f"{name}.Dockerfile").read_text().replace("\\\n", "")
    compiled = [line for line in text.splitlines() if "compileall" in line and "unchecked-hash" in line]
    assert len(compiled) == 3 and 'get_path("stdlib")' in compiled[2], "packages, the project's own, the library"
    own = set(re.findall(r"\./(?:services/)?([a-z-]+)", text)) - {"shared"} | {"kargah"}
    assert {f"/{each.replace('-', '_')}" for each in own} <= set(re.findall(r"site-packages(/\w+)", compiled[1]))


@pytest.mark.parametrize("name", PROCESSES)
def test_both_give_a_process_the_settings_that_the_embedded_stack_gives_it(name: str) -> None:
    by_default = {"KARGAH_PORT", "KARGAH_METRICS_PORT", "KARGAH_DATA_DIR", "KARGAH_WORKER_NAME"}
    wanted = {key for key in PROCESSES[name].settings if key not in by_default} - _read_by_nobody(name)
    given = set(COMPOSE["services"][name]["environment"])
    assert wanted - given == set(), "docker-compose.yml"
    shared = next(
        generator["literals"]
        for _path, document in _documents(KUBERNETES / "base")
        for generator in document.get("configMapGenerator", ())
        if generator["name"] == "kargah"
    )
    container = _deployments()[name]["containers"][0]
    given = {entry["name"] for entry in container["env"]} | {line.partition("=")[0] for line in shared}
    assert wanted - given - {"KARGAH_WORKER_URL"} == set(), "deploy/k8s"  # workers have no one address there


def _read_by_nobody(name: str) -> set[str]:
    """The embedded stack gives everybody the doorbell, and most the peers' addresses."""
    rings = name in ("gateway", "worker")
    asks = name in ("gateway", "worker", "inference")
    shown = name == "gateway"
    return (
        (set() if rings else {"KARGAH_BELL"})
        | (set() if asks else {"KARGAH_REGISTRY_URL"})
        | (set() if asks or name == "registry" else {"KARGAH_DATASETS_URL"})
        | (set() if shown else {"KARGAH_INFERENCE_URL", "KARGAH_WORKER_URL", "KARGAH_PUBLIC_URL"})
    )


def test_every_setting_that_is_given_is_one_that_is_read() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(KARGAH_[A-Z0-9_]+)", page))
    given = {
        (found, path.name)
        for path in _files("docker-compose*.yml", "deploy/k8s", "deploy/docker", ".env.example")
        for found in _SETTING.findall(path.read_text(encoding="utf-8"))
    }
    assert given and {(name, path) for name, path in given if name not in told} == set()


def test_only_the_published_ones_are_published_and_on_loopback() -> None:
    for name, service in COMPOSE["services"].items():
        assert ("ports" in service) == (name in _OURS), name
        assert all(port.startswith(f"${{BIND_ADDRESS:-{LOOPBACK}}}:") for port in service.get("ports", ())), name
    assert f"BIND_ADDRESS={LOOPBACK}" in (ROOT / ".env.example").read_text()


def test_no_secret_has_a_value() -> None:
    """Examples leave them empty; compose refuses to start without; manifests take them from the Secret."""
    for path in _files("*.env.example", ".env.example"):
        for line in path.read_text().splitlines():
            name, _, value = line.partition("=")
            assert not (name.endswith(("PASSWORD", "_KEY", "SECRET", "TOKEN")) and value), f"{path}: {name}"
    compose = (ROOT / "docker-compose.yml").read_text()
    for name in _secrets(ROOT / ".env.example"):
        assert f"${{{name}:?is not set" in compose, name
        assert f"${{{name}:-" not in compose, name
    for path, document in _documents(KUBERNETES):
        assert document.get("kind") != "Secret", path


@pytest.mark.parametrize("name", PROCESSES)
def test_people_must_log_in_everywhere(name: str) -> None:
    """And every process knows the others by the same secret."""
    environment = COMPOSE["services"][name]["environment"]
    assert environment["KARGAH_AUTH"] == "on" and environment["KARGAH_JWT_SECRET"].startswith("${JWT_SECRET:?")
    container = _deployments()[name]["containers"][0]
    by_name = {entry["name"]: entry.get("valueFrom") for entry in container["env"]}
    assert by_name["KARGAH_JWT_SECRET"] == {"secretKeyRef": {"name": "kargah", "key": "JWT_SECRET"}}
    assert "KARGAH_AUTH=on" in (KUBERNETES / "base" / "kustomization.yaml").read_text()
    assert ("KARGAH_ADMIN_PASSWORD" in by_name) == ("KARGAH_ADMIN_PASSWORD" in environment) == (name == "gateway")


@pytest.mark.parametrize("overlay", ["local", "production"])
def test_the_manifests_ask_the_secret_for_what_the_example_has(overlay: str) -> None:
    text = "".join(path.read_text() for path in _files("deploy/k8s/base", "deploy/k8s/components"))
    asked = set(re.findall(r"secretKeyRef: \{name: kargah, key: ([A-Z0-9_]+)\}", text))
    assert asked == _secrets(KUBERNETES / "overlays" / overlay / "secrets.env.example")


def _secrets(example: Path) -> set[str]:
    return {line[:-1] for line in example.read_text().splitlines() if line.endswith("=") and not line.startswith("#")}


@pytest.mark.parametrize("name", [*PROCESSES, "database", "studio"])
def test_an_image_has_a_part_of_the_lock(name: str) -> None:
    """pip takes the versions from run.lock, so all that is named must be in it; and `database` knows every role."""
    locked = {line.partition("==")[0] for line in (ROOT / "requirements" / "run.lock").read_text().splitlines()}
    dockerfile = (ROOT / "deploy" / "docker" / f"{name}.Dockerfile").read_text()
    listed = re.search(r"-r (requirements/images/[a-z-]+\.in) -c requirements/run\.lock", dockerfile)
    assert listed is not None
    for path in (ROOT / listed[1], ROOT / "requirements" / "images" / "common.in"):
        names = {re.split(r"[\[=<>]", line)[0] for line in path.read_text().splitlines() if line[:1].isalpha()}
        assert names and names <= locked, path


def test_the_torch_of_the_images_is_the_one_of_the_environment() -> None:
    torch = re.search(r"^TORCH := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    version = tomllib.loads((ROOT / "shared" / "pyproject.toml").read_text())["project"]["version"]
    assert torch is not None
    for name in ("worker", "inference"):
        assert f" {torch[1]}\n" in (ROOT / "deploy" / "docker" / f"{name}.Dockerfile").read_text()
    assert f"IMAGE_TAG:-{version}}}" in (ROOT / "docker-compose.yml").read_text()


def test_database_makes_a_role_for_everyone_who_logs_in() -> None:
    given = re.findall(r"(\w+)=\$", COMPOSE["services"]["database"]["environment"]["KARGAH_ROLE_PASSWORDS"])
    assert set(given) == {*OWNERS, "grafana"}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_pod_is_restricted_and_has_time_to_end(name: str) -> None:
    pod = _deployments()[name]
    container = pod["containers"][0]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {"requests", "limits"} <= set(container["resources"])
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    environment = {entry["name"]: entry.get("value") for entry in container["env"]}
    grace = float(environment.get("KARGAH_GRACE_SECONDS") or 15)
    assert pod["terminationGracePeriodSeconds"] > grace + 20


def test_new_secrets_are_fresh_private_and_never_overwritten(tmp_path: Path) -> None:
    script, example, target = ROOT / "deploy/compose/new-secrets.sh", ROOT / ".env.example", tmp_path / "env"
    for _ in range(2):
        subprocess.run([script, example, target], check=True, capture_output=True, timeout=30)
    lines = dict(line.partition("=")[::2] for line in target.read_text().splitlines() if line[:1].isalpha())
    secrets = [lines[name] for name in _secrets(example)]
    assert all(re.fullmatch("[0-9a-f]{32}", secret) for secret in secrets) and len(set(secrets)) == len(secrets)
    assert lines["BIND_ADDRESS"] == LOOPBACK
    assert target.stat().st_mode & 0o777 == 0o600
    before = target.read_bytes()
    subprocess.run([script, example, target], check=True, capture_output=True, timeout=30)
    assert target.read_bytes() == before


def test_the_proxy_is_given_what_it_asks_for_and_believes_nobody_by_default() -> None:
    given = COMPOSE["services"]["proxy"]["environment"]
    asked = set(re.findall(r"{\$(\w+)", (ROOT / "deploy" / "compose" / "Caddyfile").read_text()))
    assert asked == set(given)
    assert given["FRONT_PROXIES"] == "${FRONT_PROXIES:-127.0.0.1}"  # its own loopback, where nobody asks from
