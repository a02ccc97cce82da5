"""The README of a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from worker.trainer.curve import sparkline
from worker.trainer.identity import versions
from worker.trainer.material import Material, Sample
from worker.trainer.session import Session
from worker.trainer.state import RunState


def model_card(session: Session, material: Material, state: RunState, answers: Sequence[Sample]) -> str:
    """Markdown: base, data, results before and after, parameters, answers, and how to load it."""
    spec = session.context.spec
    title = str(spec.facts.get("output_model") or spec.facts.get("name") or spec.job_id)
    parts = [
        _front_matter(session),
        f"# {title}\n",
        f"Fine-tuned from **{session.base_name}** by Kargah, recipe `{spec.recipe}`.\n",
        "## داده · Data\n",
        _data(session),
        "## نتیجه · Results\n",
        _results(state),
        "## تنظیمات · Parameters\n",
        _table(("parameter", "value"), [(name, value) for name, value in session.params.model_dump().items()]),
        _answers(answers),
        "## بارگذاری · How to load\n",
        f"```python\n{_loading(material, session.base_name)}\n```\n",
        "## محیط · Environment\n",
        _table(("library", "version"), list(versions().items())),
    ]
    return "\n".join(part for part in parts if part)


def _front_matter(session: Session) -> str:
    named = session.context.spec.facts.get("license")
    license_line = f"license: {_quoted(str(named))}\n" if named else ""
    base = _quoted(session.base_name)
    return f"---\nlibrary_name: transformers\n{license_line}base_model: {base}\ntags:\n- kargah\n---\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _data(session: Session) -> str:
    facts = session.context.spec.facts
    rows = [
        ("dataset", facts.get("dataset") or "-"),
        ("format", session.shape.name),
        ("sha256", session.context.spec.dataset_sha256 or "-"),
        ("rows trained on", len(session.split.train)),
        ("rows held out", len(session.split.held_out)),
    ]
    return _table(("", ""), rows)


def _results(state: RunState) -> str:
    names = list(dict.fromkeys([*state.before, *state.latest]))
    rows = [(name, _number(state.before.get(name)), _number(state.latest.get(name))) for name in names]
    facts = f"{state.step} steps, {state.tokens:,} tokens, {state.seconds:.0f} s of training.\n"
    curve = f"Training loss: `{sparkline(state.history)}`\n\n![loss](loss.svg)\n"
    return "\n".join([_table(("held-out rows", "before", "after"), rows) if rows else "", facts, curve])


def _answers(answers: Sequence[Sample]) -> str:
    if not answers:
        return ""
    rows = [(answer.prompt, answer.expected or "-", answer.answer) for answer in answers]
    return "## نمونه‌ها · Sample answers\n\n" + _table(("prompt", "expected", "answer"), rows)


def _loading(material: Material, base: str) -> str:
    auto = material.facts["auto_class"]
    lines = [
        f"from transformers import AutoTokenizer, {auto}",
        "",
        'tokenizer = AutoTokenizer.from_pretrained("path/to/this")',
    ]
    if material.facts.get("method") == "lora":
        lines.insert(0, "from peft import PeftModel")
        lines.append(f'base = {auto}.from_pretrained("path/to/{base}")')
        lines.append('model = PeftModel.from_pretrained(base, "path/to/this")')
    else:
        lines.append(f'model = {auto}.from_pretrained("path/to/this")')
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines) + "\n"


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
