"""Datasets pushed and loaded with `datasets`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.hub.client import StockClients

ROWS = [{"question": f"پرسش {number}", "answer": str(number)} for number in range(50)]


def test_a_pushed_dataset_is_loaded(clients: StockClients, owner: str) -> None:
    name = f"{owner}/questions"
    clients("push_dataset", repo_id=name, rows=ROWS)
    assert clients("load", repo_id=name) == ROWS == clients("load", repo_id=name, streaming=True)
    assert name in clients("dataset_names", author=owner) and not clients("exists", repo_id=name)
    assert clients("exists", repo_id=name, repo_type="dataset")
    clients("push_dataset", repo_id=name, rows=ROWS[:7])
    assert clients("load", repo_id=name) == ROWS[:7]


def test_lines_of_json_are_a_dataset(clients: StockClients, owner: str, tmp_path: Path) -> None:
    name = f"{owner}/lines"
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    clients("create", repo_id=name, repo_type="dataset")
    clients("upload_folder", repo_id=name, folder=str(tmp_path), repo_type="dataset")
    assert clients("load", repo_id=name) == ROWS == clients("load", repo_id=name, streaming=True)
    assert clients("files", repo_id=name, repo_type="dataset") == ["train.jsonl"]
