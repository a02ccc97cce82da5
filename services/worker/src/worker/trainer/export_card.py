"""The README of a merged model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_LOADING = """```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("path/to/this")
model = AutoModelForCausalLM.from_pretrained("path/to/this")
```
"""


def export_card(facts: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Markdown: out of what it was made, and how to load it. `facts` are the run's, `metrics` the check's."""
    adapter = f"{facts.get('model')} version {facts.get('model_version')}"
    base = f"{facts.get('base_model')} version {facts.get('base_model_version')}"
    quoted = json.dumps(str(facts.get("base_model")))
    front = f"---\nlibrary_name: transformers\nbase_model: {quoted}\ntags:\n- kargah\n---\n"
    body = (
        f"# {facts.get('output_model')}\n\n"
        f"The adapter **{adapter}**, merged into its base **{base}** by Kargah: {metrics['parameters']:,} parameters, "
        "no adapter needed. How it was trained is told by the adapter's own card.\n"
    )
    return "\n".join([front, body, "## بارگذاری · How to load\n", _LOADING])
