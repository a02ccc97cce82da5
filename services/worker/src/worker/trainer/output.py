"""The folder that becomes a model version: weights, tokenizer, what happened, and a card for people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kargah.contracts.runs import OutputMessage
from worker.trainer.artifacts import disk_errors, settle
from worker.trainer.curve import loss_svg
from worker.trainer.identity import versions
from worker.trainer.material import Material, Sample
from worker.trainer.model_card import model_card
from worker.trainer.scrub import scrub
from worker.trainer.session import Session
from worker.trainer.state import RunState


def write_output(session: Session, material: Material, state: RunState, answers: Sequence[Sample]) -> OutputMessage:
    """Write everything, flush it, hash it. Raises OSError when there is no room."""
    folder = Path(session.context.spec.work_dir) / "output"
    folder.mkdir(parents=True, exist_ok=True)
    with disk_errors():
        material.save(folder)
    material.tokenizer.save_pretrained(folder)
    folders = (session.model_dir, session.base_dir)
    scrub(folder, {local: session.base_name for local in folders if local is not None})
    summary = summarise(session, state)
    details = _details(session.params.model_dump(), state, answers)
    _write(folder / "metrics.json", json.dumps(summary | details, ensure_ascii=False, indent=1))
    _write(folder / "loss.svg", loss_svg(state.history))
    _write(folder / "README.md", model_card(session, material, state, answers))
    lineage = {"libraries": versions(), **template_of(material.tokenizer)}
    return OutputMessage(directory=str(folder), files=settle(folder), metrics=summary, lineage=lineage)


def template_of(tokenizer: Any) -> dict[str, str]:
    """The hash of the chat template that a model speaks in, if it has one."""
    template = getattr(tokenizer, "chat_template", None)
    if not template:
        return {}
    canonical = template if isinstance(template, str) else json.dumps(template, sort_keys=True)
    return {"template_sha256": hashlib.sha256(canonical.encode()).hexdigest()}


def summarise(session: Session, state: RunState) -> dict[str, Any]:
    """What goes into the version's lineage: before, after, and how it came about."""
    last = next((point.values for point in reversed(state.history) if "loss" in point.values), {})
    return {
        "recipe": session.context.spec.recipe,
        "steps": state.step,
        "tokens": state.tokens,
        "sampler_sha256": state.sampler_sha256,
        "training_seconds": round(state.seconds, 3),
        "before": state.before,
        "after": state.latest,
        "train": {name: last[name] for name in ("loss", "accuracy") if name in last},
    }


def _details(params: dict[str, Any], state: RunState, answers: Sequence[Sample]) -> dict[str, Any]:
    return {
        "parameters": params,
        "history": [point.model_dump() for point in state.history],
        "samples": [asdict(answer) for answer in answers],
        "versions": versions(),
    }


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
