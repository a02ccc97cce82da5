"""How models come into a registry and leave it again, as people and jobs do it: while it is killed again and again."""

from __future__ import annotations

import hashlib
import io
import json
import random
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from huggingface_hub import CommitOperationAdd, HfApi
from safetensors.numpy import save

from kargah.clients.bundles.export import export_model
from kargah.clients.bundles.importing import import_bundle
from kargah.clients.bundles.keys import PrivateKey
from kargah.clients.client import Client
from kargah.contracts.models import ModelFile, ModelVersionCreate
from kargah.testing.registry_service import RegistryService
from worker.agent.peers import Peers
from worker.installs.folder import describe_folder
from worker.installs.hub import install_hub
from worker.testing.notes import Notes

KEY = PrivateKey(b"k" * 32, "the attack")
PART = 1 << 20
SEED, TUNED = "seed/base", "seed/tuned"
_CONFIG = json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}).encode()
_ADAPTER = b'{"peft_type": "LORA"}'
Files = frozenset[tuple[str, str]]
"""Path and sha256 of each."""


@dataclass(frozen=True)
class Kept:
    """What a sender was told is there: a version (`ref` is its number) or a commit of a repository."""

    name: str
    ref: str
    files: Files


@dataclass
class Ledger:
    """What was tried, what was acknowledged, what may be gone since, and what should never happen. `once`: names that
    one version belongs to, however often it is sent."""

    tried: set[Files] = field(default_factory=set)
    acknowledged: list[Kept] = field(default_factory=list)
    once: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    kills: int = 0
    broken: int = 0
    surprises: list[str] = field(default_factory=list)


class Sender:
    """One that goes one way after the other. Every way may raise what its client raises while the registry is away."""

    def __init__(self, service: RegistryService, folder: Path, ledger: Ledger, seed: int) -> None:
        self._service = service
        self._folder = folder
        self._ledger = ledger
        self._seed = seed
        self._number = 0
        self.chance = random.Random(seed)

    def go(self, bundles: Mapping[Path, Mapping[str, Files]]) -> None:
        """One way, by chance."""
        self._number += 1
        ways = (self.folder, self.job, self.push, self.texts, self.from_hub, self.bundle_out, self.delete)
        if bundles and self.chance.random() < 0.2:
            self.bundle(*self.chance.choice(list(bundles.items())))
        else:
            self.chance.choice(ways)()

    def folder(self) -> None:
        """As `kargah model install FOLDER` does it."""
        name, folder = self._made("folder")
        with Client(self._service.url) as client:
            version = client.models.install_folder(folder, name)
        self._keep(name, version.version, files_of(folder))

    def job(self, folder: Path | None = None) -> None:
        """As a worker hands over what a job made: once, by its key."""
        name, made = self._made("job")
        folder = folder or made
        entries = describe_folder(folder)
        files = [ModelFile(path=entry.path, size_bytes=entry.size_bytes, sha256=entry.sha256) for entry in entries]
        self._ledger.tried.add(files_of(folder))
        self._ledger.once.add(name)
        peers = Peers.connect(self._service.url, self._service.url)
        with peers.client:
            for entry in entries:
                peers.put_blob(folder, entry, lambda _size: None)
            create = ModelVersionCreate(files=files, source=f"job:{name}", idempotency_key=name)
            version = peers.commit_version(name, create)
        self._keep(name, version.version, files_of(folder))

    def from_hub(self) -> None:
        """An install from a hub, which is this very registry, and on into it as a job does."""
        target = self._folder / f"fetched-{self._seed}-{self._number}"
        cache = self._folder / f"cache-{self._seed}"
        install_hub(SEED, None, cache, target, Notes(), endpoint=self._service.hub)
        if not {path for path, _ in files_of(target)} >= {"config.json", "model.safetensors"}:
            self._ledger.surprises.append(f"{target} was called whole")
        self.job(target)

    def push(self) -> None:
        """By the stock client: large files in chunks (Xet), or in parts (LFS)."""
        name, folder = self._made("push")
        xet = self.chance.random() < 0.3
        api = HfApi(endpoint=self._service.hub, token="hf_any")
        api.create_repo(name, exist_ok=True)
        operations = [
            CommitOperationAdd(path.name, path if xet else io.BytesIO(path.read_bytes()))
            for path in sorted(folder.iterdir())
        ]
        done = api.create_commit(name, operations, commit_message="a push")
        self._keep(name, done.oid, files_of(folder))

    def texts(self) -> None:
        """A commit of several small files, which come with it."""
        name = f"texts/m{self._seed}-{self._number}"
        contents = {f"{index}.txt": secrets.token_hex().encode() for index in range(6)}
        files = frozenset((path, hashlib.sha256(data).hexdigest()) for path, data in contents.items())
        self._ledger.tried.add(files)
        api = HfApi(endpoint=self._service.hub, token="hf_any")
        api.create_repo(name, exist_ok=True)
        operations = [CommitOperationAdd(path, data) for path, data in contents.items()]
        done = api.create_commit(name, operations, commit_message="texts")
        self._keep(name, done.oid, files)

    def bundle(self, path: Path, models: Mapping[str, Files]) -> None:
        """What a bundle brings, it brings once."""
        self._ledger.once.update(models)
        with Client(self._service.url) as client:
            taken = import_bundle(client, path, [KEY.public])
        for made in taken.models:
            name, _, number = made.partition("@")
            self._keep(name, number, models[name])

    def bundle_out(self) -> None:
        """An export: verified, or nothing."""
        target = self._folder / f"out-{self._seed}-{self._number}.kargah"
        with Client(self._service.url) as client:
            try:
                export_model(client, TUNED, target, KEY)
            except BaseException:
                if target.exists():
                    self._ledger.surprises.append(f"{target} broke off and was called whole")
                raise
            import_bundle(client, target, [KEY.public])

    def delete(self) -> None:
        """Something that was acknowledged goes, whole or not at all."""
        known = [kept.name for kept in list(self._ledger.acknowledged) if kept.name not in self._ledger.once]
        if not known:
            return
        name = self.chance.choice(known)
        self._ledger.unsure.add(name)
        with Client(self._service.url) as client:
            client.models.delete(name)
        self._ledger.gone.add(name)

    def _made(self, kind: str) -> tuple[str, Path]:
        name = f"{kind}/m{self._seed}-{self._number}"
        folder = write_model(self._folder / f"{kind}-{self._seed}-{self._number}", self.chance)
        self._ledger.tried.add(files_of(folder))
        return name, folder

    def _keep(self, name: str, ref: object, files: Files) -> None:
        self._ledger.acknowledged.append(Kept(name, str(ref), files))


def write_model(folder: Path, chance: random.Random) -> Path:
    """A model folder whose weights are no other's: of some KB, of about a part, or of several."""
    size = chance.choice((2_000, PART, 3 * PART))
    weights = np.frombuffer(secrets.token_bytes(size), dtype=np.uint8)
    contents = {
        "config.json": _CONFIG,
        "model.safetensors": save({"w": weights}),
        "README.md": secrets.token_hex().encode(),
    }
    return _write(folder, contents)


def write_adapter(folder: Path) -> Path:
    """An adapter's folder."""
    weights = np.frombuffer(secrets.token_bytes(4 * PART), dtype=np.uint8)
    return _write(folder, {"adapter_config.json": _ADAPTER, "adapter_model.safetensors": save({"a": weights})})


def files_of(folder: Path) -> Files:
    """What is in a folder."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return frozenset((str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths)


def _write(folder: Path, contents: Mapping[str, bytes]) -> Path:
    folder.mkdir()
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return folder
