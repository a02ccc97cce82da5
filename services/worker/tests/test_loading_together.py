"""Two models that are asked for at the same moment are both whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from worker.inference.language_model import LanguageModel, open_language_model
from worker.testing.tiny_models import tiny_llama


def test_models_loaded_at_once_have_all_their_weights(tmp_path: Path) -> None:
    folders = [tiny_llama(tmp_path / str(number)) for number in range(4)]

    def load(folder: Path) -> LanguageModel:
        return open_language_model(folder, None, "cpu")

    for _ in range(3):
        with ThreadPoolExecutor(4) as pool:
            for loaded in pool.map(load, folders):
                assert not any(weights.is_meta for weights in loaded.model.parameters())
