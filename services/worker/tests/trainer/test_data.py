"""Rows, their split, their order, and how they are divided among passes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from kargah.formats.base import Example
from kargah.formats.registry import format_named
from worker.testing.tiny_models import question_rows, write_rows
from worker.trainer import token_cache
from worker.trainer.errors import TrainingError
from worker.trainer.grouping import group_flat, group_padded
from worker.trainer.items import Item
from worker.trainer.objective import EVALUATION, ClassLabel, MaskedToken
from worker.trainer.rows import RowFile, split_rows
from worker.trainer.sampler import Sampler
from worker.trainer.schedule import Schedule
from worker.trainer.token_store import TokenStore


def rows_file(path: Path, count: int) -> RowFile:
    return RowFile(write_rows(path, question_rows(count)))


def test_rows_are_found_whatever_the_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"question":"a","answer":"b"}\r\n\n   \n{"question":"c","answer":"d"}')
    rows = RowFile(path)

    assert len(rows) == 2
    assert rows.example(1, format_named("question_answer")).turns[-1].content == "d"  # type: ignore[union-attr]


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_no_rows_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match="no rows"):
        RowFile(path)


def test_a_broken_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"question":"a","answer":"b"}\n{"question":\n')
    with pytest.raises(TrainingError, match="Row 2"):
        RowFile(path).example(1, format_named("question_answer"))


def test_the_split_depends_on_content_and_seed_alone(tmp_path: Path) -> None:
    few, many = rows_file(tmp_path / "few", 300), rows_file(tmp_path / "many", 600)

    first, second, other = split_rows(few, 0.1, 1), split_rows(many, 0.1, 1), split_rows(few, 0.1, 2)

    assert set(first.held_out) == {row for row in second.held_out if row < 300}
    assert set(first.held_out) != set(other.held_out)
    assert set(first.train) | set(first.held_out) == set(range(300))
    assert 15 <= len(first.held_out) <= 45


def test_neither_side_of_a_split_is_empty_and_equal_rows_stay_together(tmp_path: Path) -> None:
    two = split_rows(rows_file(tmp_path / "two", 2), 0.01, 0)
    most = split_rows(rows_file(tmp_path / "most", 3), 0.9, 0)
    equal = split_rows(RowFile(write_rows(tmp_path / "equal", [{"text": "x"}] * 5)), 0.5, 0)

    assert (len(two.train), len(two.held_out)) == (1, 1)
    assert len(most.train) >= 1
    assert (len(equal.train), len(equal.held_out)) == (5, 0)


def test_an_epoch_sees_every_item_once_in_an_order_of_its_own() -> None:
    sampler = Sampler(count=23, per_step=4, seed=9)

    epochs = [np.concatenate([sampler.draw(6 * epoch + step) for step in range(6)]) for epoch in range(2)]

    assert sampler.steps_per_epoch == 6
    assert [sorted(epoch) for epoch in epochs] == [list(range(23))] * 2
    assert list(epochs[0]) != list(epochs[1])
    assert list(Sampler(23, 4, 9).draw(7)) == list(sampler.draw(7))
    assert list(Sampler(23, 4, 10).draw(7)) != list(sampler.draw(7))


def test_flat_groups_keep_the_budget_and_every_item() -> None:
    lengths = [int(length) for length in np.random.default_rng(0).integers(1, 200, 100)]

    groups = group_flat(lengths, 512)

    assert sorted(index for group in groups for index in group) == list(range(100))
    assert all(sum(lengths[index] for index in group) <= 512 for group in groups)
    assert len(groups) <= -(-sum(lengths) // 512) + 2
    assert all([lengths[i] for i in group] == sorted(lengths[i] for i in group) for group in groups)
    assert group_flat([900, 10], 512) in ([[0], [1]], [[1], [0]])


def test_padded_groups_waste_little() -> None:
    lengths = [int(length) for length in np.random.default_rng(0).lognormal(4.5, 0.8, 64).clip(4, 512)]

    groups = group_padded(lengths, 2048, overhead=64)

    padded = [max(lengths[index] for index in group) * len(group) for group in groups]
    assert sorted(index for group in groups for index in group) == list(range(64))
    assert all(size <= 2048 for size in padded)
    assert sum(padded) < 1.15 * sum(lengths)
    assert group_padded([900, 10], 512, 64) == [[1], [0]]


def test_the_learning_rate_rises_and_falls() -> None:
    for kind in ("linear", "cosine"):
        schedule = Schedule(kind, 1.0, warmup=10, total=100)
        rates = [schedule.at(step) for step in range(101)]
        assert rates[:11] == sorted(rates[:11]) and rates[10] == 1.0
        assert rates[10:] == sorted(rates[10:], reverse=True)
        assert rates[100] == pytest.approx(0)
    assert Schedule("constant", 0.5, 0, 10).at(9) == 0.5


def test_masks_differ_by_epoch_and_are_fixed_for_evaluation() -> None:
    item = Item(np.arange(10, 50, dtype=np.int32), np.arange(40) > 2)
    objective = MaskedToken(mask_id=4, vocabulary=300, probability=0.25, seed=1)

    first, second, again = (objective.prepare(item, 3, draw) for draw in (0, 1, 0))
    fixed = [objective.prepare(item, 3, EVALUATION) for _ in range(2)]

    assert first.positions is not None and second.positions is not None
    assert list(first.ids) == list(again.ids) and list(first.ids) != list(second.ids)
    assert list(fixed[0].ids) == list(fixed[1].ids)
    assert len(first.positions) == 9 and min(first.positions) > 2
    assert list(first.targets) == list(item.ids[first.positions])
    assert list(item.ids) == list(range(10, 50))


def test_macro_f1_counts_every_class_alike() -> None:
    targets, predicted = np.array([0, 0, 0, 1, 2]), np.array([0, 0, 1, 1, 1])

    scores = ClassLabel(4).scores(predicted, targets)

    assert scores["eval_macro_f1"] == pytest.approx((0.8 + 0.5 + 0.0) / 3)


class Letters:
    """One item a row, of as many tokens as its text has letters."""

    identity = "letters"
    splits = False

    def __init__(self) -> None:
        self.encoded = 0

    def encode(self, examples: Sequence[Example]) -> list[list[Item]]:
        self.encoded += len(examples)
        lengths = [len(example.turns[0].content) for example in examples]  # type: ignore[union-attr]
        return [[Item(np.full(length, 7, np.int32), np.ones(length, np.bool_))] for length in lengths]


class Halves(Letters):
    """Two items a row."""

    splits = True

    def encode(self, examples: Sequence[Example]) -> list[list[Item]]:
        return [[item, item] for (item,) in super().encode(examples)]


def test_rows_are_encoded_when_they_are_needed_and_cached_when_all_have_been(tmp_path: Path) -> None:
    rows, shape, cache = rows_file(tmp_path / "rows", 10), format_named("question_answer"), tmp_path / "c" / "x"
    letters, unused = Letters(), Letters()
    store = TokenStore(rows, shape, letters, cache, lambda: None)

    some = store.get([3, 1, 3])
    assert (letters.encoded, len(some), cache.exists()) == (2, 3, False)
    everything = store.get(list(range(10)))
    assert (letters.encoded, cache.exists()) == (10, True)

    again = TokenStore(rows, shape, unused, cache, lambda: None).get(list(range(10)))
    assert unused.encoded == 0
    assert [list(item.ids) for item in again] == [list(item.ids) for item in everything]
    assert [item.trained.dtype for item in again] == [np.dtype(np.bool_)] * 10


def test_rows_that_split_are_counted_before_the_start(tmp_path: Path) -> None:
    store = TokenStore(
        rows_file(tmp_path / "rows", 4), format_named("question_answer"), Halves(), tmp_path / "c", lambda: None
    )

    assert list(store.items_of(np.array([1, 3]))) == [2, 3, 6, 7]
    assert [store.row(number) for number in range(8)] == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_torn_cache_is_made_again(tmp_path: Path) -> None:
    rows, letters = rows_file(tmp_path / "rows", 4), Letters()
    cache = token_cache.cache_path(tmp_path, ["a", "b"])
    cache.parent.mkdir()
    cache.write_bytes(b"torn")

    TokenStore(rows, format_named("question_answer"), letters, cache, lambda: None).get(list(range(4)))

    assert letters.encoded == 4
    assert token_cache.load(cache) is not None
    assert token_cache.cache_path(tmp_path, ["a", "c"]) != cache
