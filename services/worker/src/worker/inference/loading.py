"""Bring a model version from the store into memory, and let go of it again."""

from __future__ import annotations

import gc
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kargah.contracts.models import ModelLocation
from kargah.ports.object_store import ObjectStore
from kargah.telemetry.logging import get_logger
from worker.cache import trim_cache
from worker.fetch import fetch_with_base
from worker.inference.config import InferenceSettings, cpu_count
from worker.inference.errors import NotUsable, fetching

if TYPE_CHECKING:
    from worker.inference.language_model import LanguageModel

_log = get_logger(__name__)


@dataclass(frozen=True)
class Loader:
    """Downloads are shared between versions and kept up to `cache_gib`; a folder exists while its model is loaded."""

    store: ObjectStore
    settings: InferenceSettings

    def load(self, location: ModelLocation) -> LanguageModel:
        """Raises Unavailable when the store does not answer, NotUsable when the files are no language model."""
        import torch  # the process starts, and answers `/readyz`, without it

        from worker.inference.language_model import open_language_model

        torch.set_num_threads(self.settings.compute_threads or cpu_count())
        version = location.version
        if location.base is not None and location.base.base is not None:
            raise NotUsable("An adapter upon an adapter cannot be loaded yet.", hint="Train it to a whole model.")
        _log.info("loading model", model=version.model, version=version.version, size_bytes=version.size_bytes)
        folder = self.settings.models_dir / version.id
        with fetching("The model's files"):
            fetched = fetch_with_base(location, self.store, self.settings.cache_dir, folder)
        try:
            return open_language_model(fetched.model_dir, fetched.base_dir, self.settings.device)
        except Exception:  # nobody will unload it
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def unload(self, version_id: str, model: LanguageModel) -> None:
        """Free its memory and its folder; its files stay in the cache while there is room."""
        import torch

        del model
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        shutil.rmtree(self.settings.models_dir / version_id, ignore_errors=True)
        trim_cache(self.settings.cache_dir, self.settings.cache_bytes)
        _log.info("model unloaded", version_id=version_id)
