"""Models with a head of classes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import torch

from kargah.formats.base import Example, LabelledText
from worker.trainer.errors import TrainingError
from worker.trainer.material import Sample
from worker.trainer.models import load_model
from worker.trainer.session import Session

Labels = dict[str, int]


def label_map(session: Session) -> Labels:
    """The classes of the data in alphabetical order; a classifier that has them all already keeps its own numbers."""
    found: set[str] = set()
    for row in range(len(session.rows)):
        example = session.example(row)
        if isinstance(example, LabelledText):
            found.add(example.label)
    own = _own_labels(session)
    if not session.trains:
        return _known_labels(own, found)
    if len(found) < 2:
        raise TrainingError(
            "one_label", "The data has fewer than two classes.", "Upload rows of at least two different labels."
        )
    return own if found <= own.keys() else {label: number for number, label in enumerate(sorted(found))}


def _known_labels(own: Labels, found: set[str]) -> Labels:
    """What is measured keeps its classes. Raises TrainingError when the data has others."""
    if strange := sorted(found - own.keys()):
        message = f"The model has no class {', '.join(strange[:5])}; its classes: {', '.join(own) or 'none'}."
        raise TrainingError("unknown_label", message, "Measure it on rows with the labels that it was trained on.")
    return own


def _own_labels(session: Session) -> Labels:
    config = json.loads((session.model_dir / "config.json").read_text(encoding="utf-8"))
    classifies = any("SequenceClassification" in name for name in config.get("architectures") or [])
    return {str(label): int(number) for label, number in (config.get("label2id") or {}).items()} if classifies else {}


def open_classifier(session: Session, labels: Labels, tokenizer: Any) -> Any:
    """The model in fp32 with a class for each label; the head is new unless the model has just these classes."""
    from transformers import AutoModelForSequenceClassification

    model = load_model(
        AutoModelForSequenceClassification,
        session.model_dir,
        torch.float32,
        num_labels=len(labels),
        label2id=labels,
        id2label={number: label for label, number in labels.items()},
        ignore_mismatched_sizes=True,
    )
    model.config.problem_type = "single_label_classification"
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id
    return model


def labeller(model: Any, tokenizer: Any, max_length: int) -> Callable[[Sequence[Example]], list[Sample]]:
    """Answers labelled texts with the classes that the model sees in them."""

    def answer(example: LabelledText) -> Sample:
        inputs = tokenizer(example.text, truncation=True, max_length=max_length, return_tensors="pt")
        with torch.no_grad():
            found = int(model(**inputs.to(model.device)).logits.argmax(-1))
        return Sample(example.text, example.label, str(model.config.id2label[found]))

    return lambda examples: [answer(example) for example in examples if isinstance(example, LabelledText)]
