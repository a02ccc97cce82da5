"""What a describing process prints, in tests: one recipe."""

from __future__ import annotations

import json

if __name__ == "__main__":
    recipe = {
        "name": "scripted",
        "title": "Scripted",
        "description": "Does what it is told.",
        "modelKinds": ["other"],
        "formats": ["messages"],
        "rank": 1,
        "paramsSchema": {"type": "object"},
    }
    print(json.dumps([recipe]))
