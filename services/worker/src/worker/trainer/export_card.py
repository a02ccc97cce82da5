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


def gguf_card(facts: Mapping[str, Any], metrics: Mapping[str, Any], file: str) -> str:
    """Markdown for a GGUF: out of what it was made, how far it is from it, and what reads it."""
    named = f"license: {json.dumps(str(facts['license']))}\n" if facts.get("license") else ""
    quoted = json.dumps(str(facts.get("model")))
    front = f"---\nlibrary_name: gguf\n{named}base_model: {quoted}\ntags:\n- kargah\n- gguf\n---\n"
    body = (
        f"# {facts.get('output_model')}\n\n"
        f"**{facts.get('model')} version {facts.get('model_version')}** as GGUF ({metrics['quantization']}) by Kargah: "
        f"{metrics['parameters']:,} parameters. Read back, its logits differ from the source's by "
        f"{metrics['difference']:.2g} of their spread at most.\n"
    )
    loading = f"```\nllama-cli -m {file} -p 'سلام'\n```\n"
    return "\n".join([front, body, "## بارگذاری · How to load\n", loading])


def export_card(facts: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Markdown: out of what it was made, and how to load it. `facts` are the run's, `metrics` the check's."""
    adapter = f"{facts.get('model')} version {facts.get('model_version')}"
    base = f"{facts.get('base_model')} version {facts.get('base_model_version')}"
    quoted = json.dumps(str(facts.get("base_model")))
    named = f"license: {json.dumps(str(facts['license']))}\n" if facts.get("license") else ""
    front = f"---\nlibrary_name: transformers\n{named}base_model: {quoted}\ntags:\n- kargah\n---\n"
    body = (
        f"# {facts.get('output_model')}\n\n"
        f"The adapter **{adapter}**, merged into its base **{base}** by Kargah: {metrics['parameters']:,} parameters, "
        "no adapter needed. How it was trained is told by the adapter's own card.\n"
    )
    return "\n".join([front, body, "## بارگذاری · How to load\n", _LOADING])
