"""Write the dashboards: `python deploy/grafana/build.py`; a test compares them with what is committed."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from fleet import FLEET  # noqa: E402
from panels import Json  # noqa: E402
from queue_board import QUEUE  # noqa: E402
from services_board import SERVICES  # noqa: E402
from training import TRAINING  # noqa: E402

BOARDS: Mapping[str, Json] = {"fleet": FLEET, "training": TRAINING, "queue": QUEUE, "services": SERVICES}


def text_of(board: Json) -> str:
    return json.dumps(board, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, board in BOARDS.items():
        (HERE / "dashboards" / f"{name}.json").write_text(text_of(board), encoding="utf-8")
