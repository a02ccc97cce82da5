"""What a repository is made of: git's hashes, and what a card says."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from registry.hub.names import check_new_name, check_ref
from registry.models.card import license_in
from registry.repos import card
from registry.repos.content import is_text
from registry.repos.objects import blob_sha1, commit_sha, file_id, folder_ids
from registry.repos.values import Entry

AT = datetime.fromtimestamp(1_700_000_000, UTC)


def _entry(data: bytes) -> Entry:
    return Entry(hashlib.sha256(data).hexdigest(), len(data), blob_sha1(data))


TREE = {"a/b/x.txt": _entry(b"hello\n"), "a.c/y.json": _entry(b"{}"), "a-b": _entry(b"one")}


def test_the_hashes_are_those_that_git_gives() -> None:
    assert folder_ids({})[""] == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    assert blob_sha1(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert folder_ids(TREE)[""] == "8d3f4803dbeae0deaa72647f5f656cea5a788788"
    assert commit_sha(TREE, None, "kargah", AT, "a title\n\nسلام") == "f6db1c64f1f7a5eebcb4fed992d0e3ac648c35fa"


def test_an_lfs_file_counts_as_its_pointer() -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12\n".encode()
    assert file_id(Entry("a" * 64, 12)) == blob_sha1(pointer)


def test_a_card_is_read() -> None:
    text = "---\nlicense: mit\ntags:\n- fa\n- 7\ndate: 2026-01-02\n---\n# کارگاه\n"
    assert card.front_matter(text) == {"license": "mit", "tags": ["fa", 7], "date": "2026-01-02"}
    assert card.front_matter("# only text") == {} == card.front_matter("---\n---\ntext")
    said = card.describe(["a.safetensors"], card.front_matter(text), {"architectures": ["LlamaForCausalLM"]}, False)
    assert said["pipeline_tag"] == "text-generation" and said["library_name"] == "transformers"
    assert said["tags"] == ["fa", "transformers", "text-generation", "safetensors", "license:mit"]


BOMB = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

MERGES = "a0: &a0 {k: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12))


@pytest.mark.parametrize(
    "front",
    [
        BOMB,
        MERGES,
        "a: [",
        "- 1\n- 2",
        "a: !!python/object:os.system x",
        "x: " + "[" * 60_000,
        "- " * 30_000,
        "? " * 30_000,
        "x: " + "{a: " * 15_000,
        "a" * 70_000,
        "a: 2026-99-99",
        'a: !!int ""',
        'a: !!float ""',
        "a: !!bool maybe",
        "a: !!timestamp soon",
        "a: 1" + ":1" * 400 + ".5",
        "a: 0x" + "f" * 9000,
    ],
)
def test_a_card_that_cannot_be_read_is_said_to_be(front: str) -> None:
    with pytest.raises(card.BadCard):
        card.front_matter(f"---\n{front}\n---\n")


def test_odd_values_of_a_card_can_be_kept() -> None:
    text = '---\na: .nan\n.inf: "\\0x"\n2026-01-02: [.inf]\n---\n'
    assert card.front_matter(text) == {"a": "nan", "inf": "x", "2026-01-02": ["inf"]}


def test_cards_that_cannot_be_read_name_no_licence() -> None:
    assert license_in("---\nlicense: mit\ntags:\n- x\n---\nbody") == "mit"
    assert license_in("---\r\nlicense: other\r\nlicense_name: my-own\r\n---\r\n") == "my-own"
    assert license_in("---\nlicense: [mit, apache-2.0]\n---\n") == "mit, apache-2.0"
    for card_text in ("", "# no front matter", "---\nlicense: [", "---\n- a\n---\n", "---\nlicense: 3\n---", "--- x"):
        assert license_in(card_text) is None


def test_texts_and_others() -> None:
    assert is_text("سلام".encode()) and is_text(b"") and is_text(("a" * 511 + "س").encode())
    assert not is_text(b"a\0b") and not is_text(b"\xff\xfe") and not is_text(b"\x80" + b"a" * 600)


@pytest.mark.parametrize(
    "name", ["a/resolve", "datasets/a", "a--b/c", "a/b/c", "../a", "a/b.git", "models", "a/" + "b" * 96]
)
def test_names_that_no_repository_may_have(name: str) -> None:
    with pytest.raises(Exception, match="name is not acceptable"):
        check_new_name(name)


@pytest.mark.parametrize("name", ["", "a..b", "a b", "/a", "a/", "a~1", "a" * 201, "0" * 40, "a.lock", ".a", "a\x00"])
def test_names_that_no_ref_may_have(name: str) -> None:
    with pytest.raises(Exception, match="no name for a branch or a tag"):
        check_ref(name, kind="datasets", tag=True)
    check_ref("release/1.0", kind="models", tag=True)
    check_ref("v1", kind="datasets", tag=True)


def test_a_configuration_adds_no_text_that_cannot_be_stored() -> None:
    said = card.describe([], {}, {"model_type": "ll\0a\ud800ma", "architectures": ["\0ForCausalLM"]}, False)
    assert said["tags"] == ["transformers", "text-generation", "llama"]


@pytest.mark.parametrize(
    "text", ["---" + "\n" * 65_000 + "x", f"---\n{MERGES}\n---\n", "---\n" + "[" * 60_000 + "\n---\n"]
)
def test_a_card_that_is_a_bomb_names_no_licence(text: str) -> None:
    assert license_in(text) is None


def test_a_licence_can_be_stored() -> None:
    assert license_in('---\nlicense: "\\0m\\uD800it"\n---\n') == "mit"
    assert license_in("---\r\nlicense: mit\r\n---\r\ntext") == "mit"
