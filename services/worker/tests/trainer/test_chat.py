"""Which tokens of a conversation carry loss, with templates of every kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kargah.formats.base import Chat, LabelledText, PlainText, Turn
from worker.testing.tiny_models import tiny_bert, tiny_llama
from worker.trainer.causal_encoder import CausalEncoder
from worker.trainer.chat_render import DEFAULT_TEMPLATE, ChatRenderer
from worker.trainer.errors import TrainingError
from worker.trainer.items import Item
from worker.trainer.models import load_tokenizer
from worker.trainer.text_encoder import TextEncoder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("llama"))


def chat(*contents: str, system: str | None = None, untrained: int | None = None) -> Chat:
    turns = [Turn("system", system)] if system is not None else []
    for number, content in enumerate(contents):
        role = "assistant" if number % 2 else "user"
        turns.append(Turn(role, content, train=role == "assistant" and number != untrained))
    return Chat(tuple(turns))


def learnt(tokenizer: Any, item: Item) -> str:
    return str(tokenizer.decode(item.ids[item.trained], skip_special_tokens=False))


def encoded(tokenizer: Any, example: Any, max_length: int = 200, splits: bool = False) -> list[Item]:
    encoder = CausalEncoder(tokenizer, ChatRenderer(tokenizer), max_length, "hash", splits)
    return encoder.encode([example])[0]


def test_loss_is_on_the_assistants_turns_with_their_end_marks(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)

    (item,) = encoded(tokenizer, chat("red dog", "blue cat", "sky?", "سلام دنیا", system="be short"))

    assert learnt(tokenizer, item) == "blue cat<|im_end|>سلام دنیا<|im_end|>"
    assert not item.trained[0]


def test_a_turn_of_weight_zero_is_left_out(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)

    (item,) = encoded(tokenizer, chat("a", "blue", "b", "green", untrained=1))

    assert learnt(tokenizer, item) == "green<|im_end|>"


def test_equal_words_of_the_user_are_not_learnt(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)

    (item,) = encoded(tokenizer, chat("echo", "echo", "echo", "echo"))

    assert learnt(tokenizer, item) == "echo<|im_end|>echo<|im_end|>"


def test_a_template_that_rewrites_earlier_turns_is_searched(folder: Path) -> None:
    """Like templates that drop the reasoning of all but the last turn."""
    tokenizer = load_tokenizer(folder)
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n"
        "{% if m.role == 'assistant' and loop.last %}<think></think>{% endif %}{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )

    (item,) = encoded(tokenizer, chat("red", "dog", "two", "cat"))

    assert learnt(tokenizer, item) == "dog<|im_end|><think></think>cat<|im_end|>"


def test_a_template_without_a_system_role_gets_its_words_in_the_first_question(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)
    tokenizer.chat_template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )

    (item,) = encoded(tokenizer, chat("red", "dog", system="be short"))

    assert "be short\n\nred" in tokenizer.decode(item.ids)
    assert learnt(tokenizer, item) == "dog<|im_end|>"


def test_a_template_that_refuses_is_a_clear_error(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)
    tokenizer.chat_template = "{{ raise_exception('roles must alternate') }}"

    with pytest.raises(TrainingError, match="roles must alternate"):
        encoded(tokenizer, chat("red", "dog"))


def test_without_a_template_the_stated_one_is_used_and_kept(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(tiny_llama(tmp_path / "plain", template=False))
    renderer = ChatRenderer(tokenizer)

    (item,) = CausalEncoder(tokenizer, renderer, 200, "hash", False).encode([chat("red", "dog")])[0]
    tokenizer.save_pretrained(tmp_path / "saved")

    assert renderer.is_default
    assert learnt(tokenizer, item).startswith("dog<|im_end|>")
    assert load_tokenizer(tmp_path / "saved").chat_template == DEFAULT_TEMPLATE


def test_a_template_cannot_reach_python(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)
    tokenizer.chat_template = "{{ messages.__class__.__mro__[1].__subclasses__() }}"

    with pytest.raises(TrainingError) as raised:
        encoded(tokenizer, chat("red", "dog"))
    assert raised.value.code == "template_error"


def test_what_is_too_long_is_cut_at_the_end(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)

    (whole,), (cut,) = (encoded(tokenizer, chat("red", "dog " * 30), length) for length in (200, 20))

    assert list(cut.ids) == list(whole.ids[:20])
    assert len(cut.trained) == 20


def test_a_long_text_becomes_several_items_and_ends_with_its_end_mark(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)

    pieces = encoded(tokenizer, PlainText("sea " * 50), 16, splits=True)

    assert len(pieces) > 2
    assert all(len(piece.ids) <= 16 and piece.trained.all() for piece in pieces)
    assert tokenizer.decode([token for piece in pieces for token in piece.ids]) == "sea " * 50 + "<|im_end|>"


def test_an_encoders_special_tokens_are_never_hidden(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(tiny_bert(tmp_path))
    encoder = TextEncoder(tokenizer, 16, "hash", splits=True)

    (windows,) = encoder.encode([PlainText("sea sky " * 30)])

    assert len(windows) > 1
    for window in windows:
        assert (window.ids[0], window.ids[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
        assert list(window.trained) == [False] + [True] * (len(window.ids) - 2) + [False]


def test_an_unknown_label_is_named(tmp_path: Path) -> None:
    encoder = TextEncoder(load_tokenizer(tiny_bert(tmp_path)), 16, "hash", False, {"red": 0})

    assert encoder.encode([LabelledText("sea", "red")])[0][0].label == 0
    with pytest.raises(TrainingError, match="blue"):
        encoder.encode([LabelledText("sea", "blue")])


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in range(10**9) %}x{% endfor %}",
        "{{ messages.nothing.there }}",
        "{{ 1 / 0 }}",
    ],
)
def test_a_template_that_misbehaves_is_a_clear_error(tmp_path: Path, template: str) -> None:
    tokenizer = load_tokenizer(tiny_llama(tmp_path))
    tokenizer.chat_template = template
    with pytest.raises(TrainingError) as caught:
        ChatRenderer(tokenizer, seconds=0.2).prompt([Turn("user", "hi")])
    assert caught.value.code == "template_error"
