"""The agent's settings, and the environment it was started with."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from kargah.access.settings import given_secret
from kargah.db.settings import DatabaseSettings
from kargah.domain.kinds import KIND_NAMES
from kargah.domain.queue_policy import MOST_DEVICES
from kargah.jobstore.settings import RetrySettings
from kargah.web.settings import ListenSettings
from worker.nodes.wire import address_of, key_of
from worker.zygote.entry import PRELOAD, TRAINER


class ImportStore(BaseModel):
    """An S3 bucket to import from. Its keys stay with the agent."""

    model_config = ConfigDict(extra="forbid")

    endpoint: str
    bucket: str
    access_key: str = Field(repr=False)
    secret_key: str = Field(repr=False)
    region: str = "us-east-1"


class GroupSettings(ListenSettings):
    """Of every machine of a worker that consists of several: node 0 lets the others in at `nodes_address` (host:port),
    which has to be an address of node 0, if they know `nodes_secret`; without one, it is made of the services' secret.
    """

    metrics_port: int = Field(default=9100, ge=0, le=65535)
    data_dir: Path = Path("data/worker")
    nodes_address: str | None = Field(default=None, pattern=r"^.+:\d{1,5}$")
    nodes_secret: SecretStr | None = Field(default=None, repr=False, min_length=16)
    nodes_secret_file: Path | None = None
    zygote_preload: str = PRELOAD
    trainer_entry: str = TRAINER

    @property
    def group_secret(self) -> str:
        """Raises ValueError when there is none."""
        given = given_secret(self.nodes_secret, self.nodes_secret_file, "KARGAH_NODES_SECRET")
        if given is None and self.service_secret is None:
            raise ValueError("KARGAH_NODES_ADDRESS needs KARGAH_NODES_SECRET, the same on all nodes.")
        return given or key_of(str(self.service_secret), "nodes")


class NodeSettings(GroupSettings):
    """`KARGAH_...` of a node; node 0 reads `AgentSettings` besides."""

    node_rank: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _knows_node_0(self) -> Self:
        if self.node_rank > 0:
            if self.nodes_address is None:
                raise ValueError(f"KARGAH_NODE_RANK={self.node_rank} needs KARGAH_NODES_ADDRESS.")
            _ = self.group_secret
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Of node 0. Raises ValueError."""
        return address_of(self.nodes_address or "")

    @property
    def own_dir(self) -> Path:
        """This node's own folder, also where all of them share `data_dir`."""
        return self.data_dir / "nodes" / socket.gethostname()


class AgentSettings(GroupSettings, DatabaseSettings, RetrySettings):
    """`KARGAH_...`; the object store and the doorbell read theirs by themselves.

    `grace_seconds` is what SIGTERM gives the trainer to save a checkpoint. The `*_deadline_seconds` are how long a
    trainer may say nothing in each phase before it counts as hung. `threads` 0 means as many as there are CPUs. Jobs
    may ask for up to `devices`: 0 means as many as there are GPUs or, without one, as there are threads; and for as
    many on each of `nodes` machines, of which this is the first (`worker.agent.node`).
    After `idle_seconds` without a job the agent ends by itself (0: never), for those who start one per job.
    `import_stores`: S3 buckets by the names that jobs call them.
    """

    registry_url: str
    datasets_url: str
    worker_name: str = Field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}", min_length=1)
    kinds: Annotated[tuple[str, ...], NoDecode] = KIND_NAMES
    lease_seconds: float = Field(default=15.0, ge=1)
    heartbeat_seconds: float = Field(default=0.5, gt=0)
    grace_seconds: float = Field(default=15.0, ge=0)
    idle_seconds: float = Field(default=0.0, ge=0)
    threads: int = Field(default=0, ge=0)
    devices: int = Field(default=0, ge=0, le=MOST_DEVICES)
    nodes: int = Field(default=1, ge=1, le=MOST_DEVICES)
    preparing_deadline_seconds: float = Field(default=600.0, gt=0)
    training_deadline_seconds: float = Field(default=300.0, gt=0)
    evaluating_deadline_seconds: float = Field(default=900.0, gt=0)
    saving_deadline_seconds: float = Field(default=600.0, gt=0)
    import_stores: dict[str, ImportStore] = Field(default={}, repr=False)
    cache_gib: float = Field(default=50.0, gt=0)
    zygote: bool = True
    describe_module: str = "worker.trainer.describe"

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.nodes > 1:
            if self.nodes_address is None:
                raise ValueError(f"KARGAH_NODES={self.nodes} needs KARGAH_NODES_ADDRESS.")
            _ = self.group_secret
        return self

    @field_validator("kinds", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("kinds")
    @classmethod
    def _known(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        if strange := set(kinds) - set(KIND_NAMES):
            raise ValueError(f"no such kind of job: {', '.join(sorted(strange))}; there are: {', '.join(KIND_NAMES)}")
        return kinds

    @property
    def deadlines(self) -> Mapping[str, float]:
        """Seconds of silence allowed, by phase."""
        return {
            "preparing": self.preparing_deadline_seconds,
            "training": self.training_deadline_seconds,
            "evaluating": self.evaluating_deadline_seconds,
            "saving": self.saving_deadline_seconds,
        }

    @property
    def cpu_threads(self) -> int:
        """Threads that a trainer computes with."""
        return self.threads or os.cpu_count() or 1

    @property
    def cache_dir(self) -> Path:
        """What outlives attempts: blobs by sha256, tokenised data."""
        return self.data_dir / "cache"


def inherited_environment() -> Mapping[str, str]:
    """What the agent itself was started with, secrets included."""
    return os.environ


def visible_gpus(found: int, environment: Mapping[str, str]) -> int:
    """How many of the `found` GPUs a trainer may use."""
    named = environment.get("CUDA_VISIBLE_DEVICES")
    return found if named is None else min(found, len([name for name in named.split(",") if name.strip()]))
