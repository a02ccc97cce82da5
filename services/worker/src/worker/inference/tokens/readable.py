"""A model as far as reading goes: its tokenizer and its settings, without the weights."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kargah.contracts.models import ModelLocation
from kargah.ports.object_store import ObjectStore
from worker.fetch import FetchedModel, fetch_with_base
from worker.inference.config import InferenceSettings
from worker.inference.errors import NotUsable, fetching, reading

if TYPE_CHECKING:
    from pathlib import Path

_READ = (".json", ".jinja", ".txt", ".model", ".tiktoken")


@dataclass(frozen=True)
class ReadableModel:
    """`has_template`: whether the tokenizer came with a chat template. Not to be used by two threads at once."""

    tokenizer: Any
    tokenizer_dir: Path
    config: Any
    has_template: bool


@dataclass(frozen=True)
class TokenizerLoader:
    """Brings the small files of a model and opens its tokenizer as the trainer does."""

    store: ObjectStore
    settings: InferenceSettings

    def load(self, location: ModelLocation) -> ReadableModel:
        """Raises Unavailable when the store does not answer, NotUsable when there is no tokenizer to be read."""
        folder = self.settings.tokenizers_dir / location.version.id
        with fetching("The model's files"):
            fetched = fetch_with_base(_without_weights(location), self.store, self.settings.cache_dir, folder)
        try:
            return _opened(fetched)
        except NotUsable:  # nobody will unload it
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def unload(self, version_id: str, model: ReadableModel) -> None:
        """Remove its folder; its files stay in the cache while there is room."""
        shutil.rmtree(self.settings.tokenizers_dir / version_id, ignore_errors=True)


def _opened(fetched: FetchedModel) -> ReadableModel:
    from transformers import AutoConfig

    from worker.trainer.models import load_tokenizer
    from worker.trainer.reading import tokenizer_folder

    tokenizer_dir = tokenizer_folder(fetched.model_dir, fetched.base_dir)
    with reading("The model's settings cannot be read"):
        tokenizer = load_tokenizer(tokenizer_dir)
        config = AutoConfig.from_pretrained(
            fetched.base_dir or fetched.model_dir, local_files_only=True, trust_remote_code=False
        )
    return ReadableModel(tokenizer, tokenizer_dir, config, bool(tokenizer.chat_template))


def _without_weights(location: ModelLocation) -> ModelLocation:
    files = [file for file in location.version.files if file.path.endswith(_READ)]
    version = location.version.model_copy(update={"files": files})
    base = _without_weights(location.base) if location.base is not None else None
    return location.model_copy(update={"version": version, "base": base})
