"""What a repository says of itself: the front matter of its README and, for models, its configurations."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from typing import Any

import yaml

_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)(?:\r?\n)?^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_LONGEST_FRONT = 64 << 10
_DEEPEST = 40
_LONGEST_TAG = 200
# What YAML's constructors raise for values that are none of their kind: `!!int ""`, `!!bool maybe`, `1:1:...:1.5`.
_BAD_VALUES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_MOST_TAGS = 100
_PIPELINES = (
    ("ForCausalLM", "text-generation"),
    ("LMHeadModel", "text-generation"),
    ("ForSequenceClassification", "text-classification"),
    ("ForTokenClassification", "token-classification"),
    ("ForQuestionAnswering", "question-answering"),
    ("ForMaskedLM", "fill-mask"),
    ("WhisperForConditionalGeneration", "automatic-speech-recognition"),
    ("ForCTC", "automatic-speech-recognition"),
    ("VitsModel", "text-to-speech"),
    ("ForConditionalGeneration", "text2text-generation"),
)


class BadCard(ValueError):
    """The front matter cannot be read; the message says why."""


def front_matter(text: str) -> dict[str, Any]:
    """The metadata at the top of a README, as plain JSON values; empty where it has none. Raises BadCard."""
    match = _FRONT.match(text.removeprefix("\N{BYTE ORDER MARK}"))
    if match is None:
        return {}
    source = match.group(1)
    if len(source) > _LONGEST_FRONT:
        raise BadCard(f"The metadata is longer than {_LONGEST_FRONT} characters.")
    value = _load(source)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadCard("The metadata is not a list of keys and values.")
    # Dates and odd keys become text; what no database holds does not come through.
    try:
        front: dict[str, Any] = json.loads(json.dumps(plain(value), default=str))
    except ValueError as error:  # a number of thousands of digits
        raise BadCard(f"The metadata cannot be read: {error}") from error
    return front


def describe(
    paths: Collection[str], card: Mapping[str, Any], config: Mapping[str, Any], adapter: bool
) -> dict[str, Any]:
    """What lists show: the library, the pipeline, tags, and the card itself as `cardData`."""
    library = _text(card.get("library_name")) or _library(paths, config, adapter)
    pipeline = _text(card.get("pipeline_tag")) or _pipeline(config)
    tags = [*_texts(card.get("tags")), *(tag for tag in (library, pipeline, _text(config.get("model_type"))) if tag)]
    if any(path.endswith(".safetensors") for path in paths):
        tags.append("safetensors")
    for key in ("license", "base_model", "language", "dataset"):
        tags += [f"{key}:{value}" for value in _texts(card.get("datasets" if key == "dataset" else key))]
    short = [tag for tag in dict.fromkeys(tags) if len(tag) <= _LONGEST_TAG][:_MOST_TAGS]
    return {"library_name": library, "pipeline_tag": pipeline, "tags": short, "cardData": dict(card)}


def _load(source: str) -> Any:
    """YAML of plain values."""
    try:
        _check_events(source)
        return yaml.safe_load(source)
    except yaml.YAMLError as error:
        raise BadCard(f"The metadata is not YAML: {error}") from error
    except _BAD_VALUES as error:
        raise BadCard(f"The metadata cannot be read: {error}") from error


def _check_events(source: str) -> None:
    """An alias may stand for ever more of itself, and deep nesting takes ever longer to read: neither is accepted."""
    depth = 0
    for event in yaml.parse(source, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise BadCard("Aliases are not accepted in the metadata.")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise BadCard(f"The metadata is nested deeper than {_DEEPEST} levels.")


def plain(value: Any) -> Any:
    """`value` without what no database holds: NUL and lone surrogates in texts, numbers that are none."""
    if isinstance(value, dict):
        return {_clean(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return _clean(value) if isinstance(value, str) else value


def _clean(text: str) -> str:
    return re.sub("[\x00\ud800-\udfff]", "", text)


def _library(paths: Collection[str], config: Mapping[str, Any], adapter: bool) -> str | None:
    if adapter:
        return "peft"
    if "modules.json" in paths:
        return "sentence-transformers"
    return "transformers" if config else None


def _pipeline(config: Mapping[str, Any]) -> str | None:
    names = _texts(config.get("architectures"))
    return next((task for ending, task in _PIPELINES if any(name.endswith(ending) for name in names)), None)


def _text(value: Any) -> str | None:
    """A short text that a database can hold; configurations are not cleaned as a whole."""
    return (_clean(value) or None) if isinstance(value, str) and len(value) <= _LONGEST_TAG else None


def _texts(value: Any) -> list[str]:
    """A text, or the texts of a list."""
    values = value if isinstance(value, list) else [value]
    return [text for text in map(_text, values) if text is not None]
