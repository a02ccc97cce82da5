"""A browser gets files where people must log in: by a link that is signed, for it cannot say who asks."""

from __future__ import annotations

from pathlib import Path

from kargah import Client
from tests.studio.locked import Locked
from tests.studio.texts import said
from worker.testing.tiny_models import tiny_llama

_WEIGHTS = "model.safetensors"


def test_a_file_of_a_model_is_downloaded_without_passing_through_the_page(locked: Locked, tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "llama")
    url = locked.studio.kargah.url
    with Client(url) as nobody:
        token = nobody.access.login("admin", locked.password).access_token
    with Client(url, api_key=token) as admin:
        admin.models.install_folder(folder, name="kept")
    with locked.studio.visit("en") as visit:
        page = locked.log_in(visit, "vera", "en")
        visit.go("/models/kept#files")
        with page.expect_download() as saved:
            page.get_by_role("tabpanel", name=said("en", "models:tabs.files")).get_by_text(_WEIGHTS).click()
        assert saved.value.suggested_filename == _WEIGHTS and "/signed-files/" in saved.value.url
        assert Path(saved.value.path()).read_bytes() == (folder / _WEIGHTS).read_bytes()
