"""Make a new Postgres cluster, and clear away the lock file that a killed server leaves in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from kargah.embedded.kept_secret import write_private
from kargah.embedded.postgres_home import PostgresHome
from kargah.embedded.process import ProcessFailed

SUPERUSER = "kargah_admin"
ENV = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def create_cluster(home: PostgresHome, binaries: Path, password: str) -> None:
    """Run initdb in a folder aside, then rename: an interrupted initdb never looks like a cluster."""
    partial = home.root / "cluster.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    home.give(partial)
    handover = home.root / "initdb-password"
    write_private(handover, password)
    home.give(handover)
    try:
        _run_initdb(home, binaries, partial, handover)
    finally:
        handover.unlink()
    partial.rename(home.cluster)


def forget_dead_postmaster(cluster: Path) -> None:
    """Remove the lock file that a killed server left. Only for the holder of the folder's lock.

    Postgres trusts its lock file when the process id in it is in use, even by a stranger: after a container
    restarts, small ids come back at once. Our own lock tells that no process of the cluster is left.
    """
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def _run_initdb(home: PostgresHome, binaries: Path, cluster: Path, password_file: Path) -> None:
    arguments = [
        str(binaries / "initdb"),
        f"--pgdata={cluster}",
        f"--username={SUPERUSER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        # Code-point order and Unicode case rules on every machine alike, without the system's locales.
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--data-checksums",
    ]
    identity = home.identity
    done = subprocess.run(
        arguments,
        cwd=home.root,
        env=ENV,
        user=identity.uid if identity else None,
        group=identity.gid if identity else None,
        extra_groups=[] if identity else None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ProcessFailed(f"initdb ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
