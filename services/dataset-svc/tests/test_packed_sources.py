"""Packed files and Parquet: what they hold, where they break, and that no bomb goes off."""

from __future__ import annotations

import gzip
import io
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_svc.datasets.object_file import ObjectFile
from dataset_svc.readers import parquet as parquet_module
from dataset_svc.readers import unpacked as unpacked_module
from dataset_svc.readers.parquet_footer import row_groups
from dataset_svc.readers.rows import Fault, Item, ParsedRow
from dataset_svc.readers.source import open_source
from kargah.adapters.folder_store import FolderStore
from kargah.domain.errors import DomainError, Invalid, TooLarge, UnsupportedMedia

ROWS = [{"question": f"سوال {number}", "answer": f"{number * 7919 % 1000}"} for number in range(3000)]
JSONL = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
CSV = ("question,answer\r\n" + "".join(f"{row['question']},{row['answer']}\r\n" for row in ROWS)).encode()


def zstd(data: bytes) -> bytes:
    packed: bytes = pa.compress(data, codec="zstd", asbytes=True)
    return packed


def opened(data: bytes, filename: str = "", most: int = 1 << 30) -> list[Item]:
    source = open_source(io.BytesIO(data), filename, most, io.BytesIO(data))
    return list(source.reader(source.stream, source.start))


def values(found: list[Item]) -> list[dict[str, Any]]:
    return [item.value for item in found if isinstance(item, ParsedRow)]


def faults(found: list[Item]) -> list[tuple[int, str | None, str]]:
    return [(item.line, item.field, item.code) for item in found if isinstance(item, Fault)]


PACKERS = {"gzip": gzip.compress, "zstd": zstd}


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize(
    ("data", "filename"),
    [(JSONL, "a.jsonl"), (json.dumps(ROWS).encode(), "a.json"), (CSV, "a.csv"), (JSONL, "wrong.parquet"), (CSV, "")],
)
def test_packed_files_are_recognised_by_content(packer: str, data: bytes, filename: str) -> None:
    assert values(opened(PACKERS[packer](data), filename)) == ROWS


@pytest.mark.parametrize("packer", PACKERS)
def test_several_members_are_one_file(packer: str) -> None:
    pack, half = PACKERS[packer], JSONL.index(b"\n", len(JSONL) // 2) + 1
    assert values(opened(pack(JSONL[:half]) + pack(JSONL[half:]))) == ROWS


def test_a_gzip_may_be_padded_with_zeros() -> None:
    packed = gzip.compress(JSONL)
    assert values(opened(packed + b"\0" * 100_000)) == ROWS
    assert values(opened(packed + b"\0" * 700 + packed)) == ROWS * 2


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_cut_is_told_with_its_offset(packer: str, kept: float) -> None:
    packed = PACKERS[packer](JSONL)
    packed = packed[: int(len(packed) * kept)]
    with pytest.raises(Invalid) as caught:
        opened(packed)
    (error,) = caught.value.errors
    assert (error.code, error.byte_offset) == (packer, len(packed))
    assert "cut short" in error.message


@pytest.mark.parametrize("packer", PACKERS)
def test_damage_is_told_with_its_offset(packer: str) -> None:
    chance = random.Random(1)
    texts = ("".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=4000)) for _ in range(100))
    packed = bytearray(PACKERS[packer]("".join(f'{{"text":"{text}"}}\n' for text in texts).encode()))
    # Up to the end: a format without a checksum of each piece cannot tell a few wrong letters from right ones.
    place = len(packed) // 2
    packed[place:] = b"\xff" * (len(packed) - place)
    with pytest.raises(Invalid) as caught:
        opened(bytes(packed))
    (error,) = caught.value.errors
    assert error.code == packer
    assert error.byte_offset is not None
    assert place <= error.byte_offset <= len(packed)


def test_garbage_behind_a_gzip_is_told_where_it_begins() -> None:
    packed = gzip.compress(JSONL)
    with pytest.raises(Invalid) as caught:
        opened(packed + b"garbage")
    assert caught.value.errors[0].byte_offset in (len(packed), len(packed) + 1)


@pytest.mark.parametrize("packer", PACKERS)
def test_bombs_are_stopped(packer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = PACKERS[packer](b'{"text":"' + b"x" * (32 << 20) + b'"}')
    with pytest.raises(TooLarge, match="once unpacked"):
        opened(bomb, most=1 << 20)
    monkeypatch.setattr(unpacked_module, "_GROWTH_FREE", 1 << 20)
    with pytest.raises(TooLarge, match="250 times"):
        opened(bomb)


@pytest.mark.parametrize("outer", PACKERS)
@pytest.mark.parametrize("inner", PACKERS)
def test_packed_twice_is_refused(outer: str, inner: str) -> None:
    with pytest.raises(UnsupportedMedia, match="inside a"):
        opened(PACKERS[outer](PACKERS[inner](JSONL)))
    with pytest.raises(UnsupportedMedia, match="Parquet file inside"):
        opened(PACKERS[outer](parquet(pa.table({"a": ["1"]}))))


@pytest.mark.parametrize(
    ("data", "filename"), [(JSONL, "a.csv"), (JSONL, "a.txt"), (json.dumps(ROWS).encode(), "rows.csv")]
)
def test_a_misleading_name_does_not_mislead(data: bytes, filename: str) -> None:
    assert values(opened(data, filename)) == ROWS


def test_text_that_merely_begins_with_a_brace_is_text() -> None:
    assert values(opened(b"{curly} words\n[square] words\n", "a.txt")) == [
        {"text": "{curly} words"},
        {"text": "[square] words"},
    ]


# --- Parquet


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd", "gzip"])
def test_parquet_rows_come_in_order(compression: str) -> None:
    data = parquet(pa.Table.from_pylist(ROWS), row_group_size=700, compression=compression)
    found = opened(data, "whatever.jsonl")
    assert values(found) == ROWS
    assert [item.line for item in found] == list(range(1, len(ROWS) + 1))
    offsets = sorted({item.byte_offset for item in found if item.byte_offset is not None})
    assert len(offsets) == 5
    assert offsets[0] == 4


def test_parquet_conversations_lose_only_absent_members() -> None:
    rows = [
        {"messages": [{"role": "user", "content": "سلام"}, {"role": "assistant", "content": "درود", "weight": 1}]},
        {"messages": [{"role": "user", "content": "؟"}, {"role": "assistant", "content": "!"}], "note": None},
    ]
    assert values(opened(parquet(pa.Table.from_pylist(rows)))) == [
        {"messages": rows[0]["messages"]},
        {"messages": rows[1]["messages"]},
    ]


def test_parquet_values_that_json_can_say() -> None:
    table = pa.table(
        {
            "flag": pa.array([True, None]),
            "small": pa.array([1, -2], pa.int8()),
            "large": pa.array([2**64 - 1, 0], pa.uint64()),
            "real": pa.array([0.5, 1e300]),
            "kind": pa.array(["الف", "ب"]).dictionary_encode(),
            "long": pa.array(["x", "y"], pa.large_string()),
            "pair": pa.array([[1, 2], [3, 4]], pa.list_(pa.int64(), 2)),
        }
    )
    assert values(opened(parquet(table))) == [
        {"flag": True, "small": 1, "large": 2**64 - 1, "real": 0.5, "kind": "الف", "long": "x", "pair": [1, 2]},
        {"flag": None, "small": -2, "large": 0, "real": 1e300, "kind": "ب", "long": "y", "pair": [3, 4]},
    ]


@pytest.mark.parametrize(
    ("column", "field"),
    [
        (pa.array([b"x"]), "c"),
        (pa.array([0], pa.timestamp("us")), "c"),
        (pa.array([0], pa.date32()), "c"),
        (pa.array([1], pa.decimal128(5, 2)), "c"),
        (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), "c"),
        (pa.array([{"path": "a.png", "bytes": b"x"}]), "c.bytes"),
        (pa.array([[{"at": 0}]], pa.list_(pa.struct([("at", pa.time32("s"))]))), "c[].at"),
    ],
)
def test_a_type_without_json_names_its_column(column: pa.Array, field: str) -> None:
    found = opened(parquet(pa.table({"text": ["a"], "c": column})))
    assert faults(found) == [(1, field, "column_type")]
    assert f"`{field}`" in found[0].message  # type: ignore[union-attr]


def test_parquet_rows_that_json_cannot_say() -> None:
    rows = [{"a": {"n": [1.5]}, "t": "x"}, {"a": {"n": [float("nan")]}, "t": "x"}, {"a": {"n": []}, "t": "\x00"}]
    found = opened(parquet(pa.Table.from_pylist(rows)))
    assert faults(found) == [(2, "a.n[0]", "not_finite"), (3, "t", "null_character")]
    assert len(values(found)) == 1


def test_parquet_row_over_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_module, "ROW_LIMIT", 10_000)
    found = opened(parquet(pa.table({"text": ["a" * 9000, "b" * 20_000, "c"]})))
    assert faults(found) == [(2, None, "row_too_long")]
    assert [len(row["text"]) for row in values(found)] == [9000, 1]


def test_parquet_names_that_cannot_be() -> None:
    twice = parquet(pa.table([pa.array(["1"]), pa.array(["2"])], names=["a", "a"]))
    assert faults(opened(twice)) == [(1, "a", "duplicate_key")]
    many = parquet(pa.table({f"c{number}": ["x"] for number in range(1001)}))
    assert faults(opened(many)) == [(1, None, "header")]


def test_parquet_text_that_is_not_utf8() -> None:
    column = pa.array([b"good", b"\xff"]).view(pa.string())
    assert faults(opened(parquet(pa.table({"text": column})))) == [(1, None, "parquet")]


def test_parquet_bomb_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_module, "_GROWTH_FREE", 1 << 20)
    texts = ["x" * 1_000_000 + str(number) for number in range(8)]
    bomb = parquet(pa.table({"text": texts}), compression="zstd", use_dictionary=False)
    with pytest.raises(TooLarge, match="`text`"):
        opened(bomb)


@pytest.mark.parametrize("kept", [4, 100, 2000, -1, -8])
def test_a_cut_parquet_is_one_fault(kept: int) -> None:
    data = parquet(pa.Table.from_pylist(ROWS))
    (only,) = faults(opened(data[:kept]))
    assert only == (1, None, "parquet")


_WHOLE = parquet(pa.Table.from_pylist(ROWS[:50]), row_group_size=20)


@settings(max_examples=150, deadline=None)
@given(st.integers(4, len(_WHOLE) - 1), st.binary(min_size=1, max_size=20))
def test_no_damage_breaks_the_parquet_reader(place: int, damage: bytes) -> None:
    data = _WHOLE[:place] + damage + _WHOLE[place + len(damage) :]
    try:
        found = opened(data)
    except DomainError:
        return
    assert all(item.line >= 1 and item.byte_offset is not None for item in found)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(PACKERS)), st.integers(4, 2000), st.binary(min_size=1, max_size=20))
def test_no_damage_breaks_the_unpackers(packer: str, place: int, damage: bytes) -> None:
    data = PACKERS[packer](JSONL[:20_000])
    try:
        opened(data[:place] + damage + data[place + len(damage) :])
    except DomainError as error:
        assert all(found.byte_offset is not None for found in error.errors)


def test_an_object_is_read_like_a_file(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    data = parquet(pa.Table.from_pylist(ROWS), row_group_size=100)
    store.put("key", data)
    file, twin = ObjectFile(store, "key"), io.BytesIO(data)
    chance = random.Random(5)
    for _ in range(200):
        place, size = chance.randrange(len(data)), chance.randrange(5000)
        assert file.seek(place) == twin.seek(place)
        assert file.read(size) == twin.read(size)
        assert file.tell() == twin.tell()
    assert file.seek(-8, io.SEEK_END) == len(data) - 8
    assert file.read() == data[-8:]
    assert pq.read_table(file).to_pylist() == ROWS


def test_parquet_whose_pages_are_too_large_for_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_module, "_MAX_PAGE", 1 << 20)
    texts = [f"{number} {random.Random(number).randbytes(50_000).hex()}" for number in range(20)]
    pq.write_table(pa.table({"question": texts, "answer": texts}), tmp_path / "large", compression="none")
    with pytest.raises(TooLarge, match="pages of up to") as caught:
        opened((tmp_path / "large").read_bytes())
    assert "row group" in str(caught.value.hint)
    pq.write_table(pa.table({"question": texts, "answer": texts}), tmp_path / "small", row_group_size=5)
    assert len(values(opened((tmp_path / "small").read_bytes()))) == 20


@pytest.mark.parametrize("head", ["0088", "00D0", "A000000002"])  # 128 MiB, 64 GiB, 32 MiB that are one segment
def test_zstd_that_needs_much_memory_is_refused_before_it_is_unpacked(head: str) -> None:
    good = zstd(JSONL)
    with pytest.raises(Invalid) as caught:
        opened(good * 2 + unpacked_module.ZSTD + bytes.fromhex(head) + bytes(20))
    (error,) = caught.value.errors
    assert (error.code, error.byte_offset) == ("zstd", 2 * len(good))
    assert "window" in error.message and "--long" in str(caught.value.hint)


def test_row_groups_are_described_as_arrow_does_it() -> None:
    data = parquet(pa.Table.from_pylist([row | {"n": 1, "m": [row]} for row in ROWS]), row_group_size=700)
    theirs, ours = pq.ParquetFile(io.BytesIO(data)).metadata, row_groups(io.BytesIO(data))
    assert len(ours) == theirs.num_row_groups == 5
    for number, group in enumerate(ours):
        expected = theirs.row_group(number)
        assert (group.rows, group.size) == (expected.num_rows, expected.total_byte_size)
        columns = [expected.column(place) for place in range(expected.num_columns)]
        assert [(one.path, one.unpacked, one.packed) for one in group.columns] == [
            (one.path_in_schema, one.total_uncompressed_size, one.total_compressed_size) for one in columns
        ]
        assert group.offset == (columns[0].dictionary_page_offset or columns[0].data_page_offset)


def test_damage_to_the_description_of_row_groups_ends_nothing() -> None:
    """Arrow ends the process where it is asked for a column that a damaged file describes wrongly."""
    begin = len(_WHOLE) - 8 - int.from_bytes(_WHOLE[-8:-4], "little")
    read = 0
    for seed in range(300):
        chance, data = random.Random(seed), bytearray(_WHOLE)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(begin, len(data) - 8)] = chance.randrange(256)
        read += len(opened(bytes(data))) > 0
    assert read > 200
