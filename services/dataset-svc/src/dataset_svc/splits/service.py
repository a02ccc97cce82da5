"""Makes a version with splits out of one that is there, or out of several: every row is gone through once."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dataset_svc.checks.checked_rows import CheckedRows
from dataset_svc.checks.problems import Problems
from dataset_svc.checks.row_index import RowIndex
from dataset_svc.checks.streams import Digest, LinesStream, OnBytes, ignore_bytes
from dataset_svc.datasets.objects import STAGING, object_key
from dataset_svc.datasets.service import DatasetService
from dataset_svc.datasets.uploads import OnRecorded, Uploads
from dataset_svc.datasets.values import NewVersion
from dataset_svc.readers.jsonl import read_jsonl
from dataset_svc.readers.rows import Fault, Item, ParsedRow
from dataset_svc.splits.assignment import Assignment
from dataset_svc.splits.leakage import LEAKS
from dataset_svc.splits.rules import ByPart, Rule, rule_for
from kargah.contracts.datasets import DatasetStats, DatasetVersionView, Lineage, RowWarning, SplitRequest, VersionSplits
from kargah.domain.errors import FieldError, Invalid, NotFound, Unavailable
from kargah.domain.ids import new_id
from kargah.domain.splits import SPLITS, TRAIN
from kargah.formats.base import Format
from kargah.formats.registry import format_named
from kargah.ports.object_store import ObjectMissing, ObjectStore

_BUFFER = 1 << 20
Parts = dict[str, DatasetVersionView]
"""Versions by the split that their rows are given to; one alone, under `train`, where a rule says it of each row."""


@dataclass(frozen=True, slots=True)
class _Content:
    """A version's rows and what is known of them."""

    rows: Digest
    stats: DatasetStats
    warnings: list[RowWarning]
    index: RowIndex


class SplitService:
    """Memory is a byte a row, beside what the checks need."""

    def __init__(self, store: ObjectStore, datasets: DatasetService, uploads: Uploads) -> None:
        self._store = store
        self._datasets = datasets
        self._uploads = uploads

    def split(
        self,
        name: str,
        wanted: SplitRequest,
        on_bytes: OnBytes = ignore_bytes,
        on_recorded: OnRecorded | None = None,
    ) -> tuple[DatasetVersionView, bool]:
        """The version with these splits, and whether it is new. `on_recorded` is called within the transaction that
        records it, and what it raises undoes that. Raises NotFound, Invalid, StoreUnavailable."""
        parts = self._parts(name, wanted)
        rows = sum(version.stats.rows for version in parts.values())
        rule, shape = rule_for(wanted, rows), _common_format(parts.values())
        assignment = Assignment(rule, shape)
        items = assignment.watch(self._items(parts, rule, on_bytes))
        rows_key, places_key = (f"{STAGING}{new_id('split')}/{what}" for what in ("rows", "splits"))
        try:
            if len(parts) > 1:
                content = self._joined(rows_key, items, shape)
            else:  # the very rows that lie there already
                rows_key, content = object_key(parts[TRAIN].sha256), self._same(parts[TRAIN], items)
            _refuse_empty(assignment, wanted)
            places = Digest()
            places.add(bytes(assignment.places))
            self._store.put(places_key, bytes(assignment.places))
            splits, lineage = _splits(wanted, places), _lineage(parts, wanted)
            new = _new_version(name, parts, content, assignment, splits, lineage)
            return self._uploads.record(new, {rows_key: content.rows, places_key: places}, on_recorded)
        except ObjectMissing as error:
            raise NotFound(
                f"the rows of {name[:200]!r} are gone: it was deleted meanwhile", "upload it again"
            ) from error
        finally:
            for key in {rows_key, places_key} - {object_key(version.sha256) for version in parts.values()}:
                self._uploads.drop(key)

    def _parts(self, name: str, wanted: SplitRequest) -> Parts:
        if wanted.parts is None:
            return {TRAIN: self._datasets.get(name, wanted.version).latest}
        return {split: self._datasets.get(name, number).latest for split, number in wanted.parts.given().items()}

    def _items(self, parts: Parts, rule: Rule, on_bytes: OnBytes) -> Iterator[Item]:
        rows = size = 0
        for split, version in parts.items():
            if isinstance(rule, ByPart):
                rule.split = split
            with self._store.open(object_key(version.sha256)) as stream:
                for item in read_jsonl(stream, size):
                    if isinstance(item, ParsedRow):  # its place is in the new version
                        item.line += rows
                        on_bytes(len(item.raw or b"") + 1)
                    yield item
            rows, size = rows + version.stats.rows, size + version.stats.size_bytes

    def _joined(self, key: str, items: Iterable[Item], shape: Format) -> _Content:
        """The items as rows of their own, checked like an upload and stored at `key`."""
        checked, rows = CheckedRows(items, shape.name, {}), Digest()
        self._store.put_stream(key, io.BufferedReader(LinesStream(checked.lines(), rows), _BUFFER))
        stats = checked.statistics.view()
        return _Content(rows, stats, checked.warnings.view(checked.statistics), checked.index)

    def _same(self, version: DatasetVersionView, items: Iterable[Item]) -> _Content:
        """What is known of the version already; its rows are gone through once. Raises Invalid for faults."""
        rows, problems, count = Digest(), Problems(), 0
        for item in items:
            count += 1
            if isinstance(item, Fault):
                problems.add(item)
            else:
                rows.add((item.raw or b"") + b"\n")
        if problems.total:
            raise problems.refusal(count)
        if rows.sha256 != version.sha256:
            raise Unavailable(f"the rows of {version.dataset} version {version.version} are damaged in the store")
        told = [warning for warning in version.warnings if warning.code not in LEAKS]
        return _Content(rows, version.stats, told, self._datasets.index(version))


def split_bytes(parts: Sequence[DatasetVersionView]) -> int:
    """How much is gone through to divide these. Raises Invalid where they cannot be put together."""
    _common_format(parts)
    return sum(part.stats.size_bytes for part in parts)


def _common_format(parts: Iterable[DatasetVersionView]) -> Format:
    found = sorted({version.format for version in parts})
    if len(found) > 1:
        message = f"the parts have different formats: {', '.join(found)}"
        raise Invalid(message, "upload them again with one --format", [FieldError("parts", message, "formats_differ")])
    return format_named(found[0])


def _refuse_empty(assignment: Assignment, wanted: SplitRequest) -> None:
    """A split that was asked for must have rows, and so must the training and one other in any case."""
    found = assignment.stats
    asked = wanted.hash.shares() if wanted.hash is not None else {}
    empty = next((name for name in (TRAIN, *asked) if name not in found), None)
    if empty is not None:
        message = f"the split {empty} would have none of the {len(assignment.places):,} rows"
        hint = "take another share or seed" if asked else "see to it that some row is in it"
        raise Invalid(message, hint, [FieldError(empty, message, "empty_split")])
    if len(found) < 2:
        message = f"every row is in {TRAIN}: nothing is held out"
        raise Invalid(message, "put some rows into test", [FieldError("column", message, "empty_split")])


def _splits(wanted: SplitRequest, places: Digest) -> VersionSplits:
    if wanted.given is not None:
        return wanted.given.splits.model_copy(update={"names": list(SPLITS), "sha256": places.sha256})
    rule = wanted.hash
    return VersionSplits(
        kind="hash" if rule is not None else "column" if wanted.column is not None else "parts",
        names=list(SPLITS),
        sha256=places.sha256,
        seed=rule.seed if rule is not None else None,
        asked=rule.shares() if rule is not None else {},
        column=wanted.column,
    )


def _new_version(
    name: str,
    parts: Parts,
    content: _Content,
    assignment: Assignment,
    splits: VersionSplits,
    lineage: Lineage | None,
) -> NewVersion:
    """Its source are its rows: what was once uploaded belongs to the versions that it was made from."""
    return NewVersion(
        name=name,
        format=parts[TRAIN].format,
        sha256=content.rows.sha256,
        source_sha256=content.rows.sha256,
        source_filename=" + ".join(version.source_filename for version in parts.values())[:200],
        stats=content.stats.model_copy(update={"splits": assignment.stats}),
        warnings=assignment.warnings() + content.warnings,
        index=content.index,
        lineage=lineage,
        splits=splits,
    )


def _lineage(parts: Parts, wanted: SplitRequest) -> Lineage | None:
    """Of a version whose rows were divided; what was put together has several."""
    if len(parts) > 1:
        return None
    base = parts[TRAIN]
    if wanted.given is not None:  # the rows were brought here, and what is known of them came along
        return base.lineage
    return Lineage(version=base.version, version_id=base.id, repairs=[], rows_changed=0, rows_dropped=0)
