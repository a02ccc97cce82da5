"""What a chat template may make: no operation of it takes the memory or the time of the process that renders it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from kargah.formats.base import Turn
from worker.testing.tiny_models import tiny_llama
from worker.trainer.bounded_templates import BoundedEnvironment, bounded_rendering
from worker.trainer.chat_render import ChatRenderer
from worker.trainer.errors import TrainingError
from worker.trainer.models import load_tokenizer

TALK = [Turn("user", "سلام"), Turn("assistant", "درود " * 400)]
LONG = "{% set x = 'x' * 60000 %}"
GREEDY = {
    "text": "{{ ('a' * 3000000000)|length }}",
    "list": "{{ ([1] * 10000 * 300000)|length }}",
    "power": "{% set n = messages|length + 9 %}{{ (n ** (n ** n)) % 2 }}",
    "constant": "{{ 10 ** (10 ** 9) }}",
    "numbers": "{% set ns = namespace(x=99) %}{% for i in range(40) %}{% set ns.x = ns.x * ns.x %}{% endfor %}",
    "doubling": "{% set ns = namespace(x='ab') %}{% for i in range(40) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "joining": "{% set ns = namespace(x='ab') %}{% for i in range(40) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "percent": "{{ '%2999999999d' % 1 }}",
    "star": "{{ '%*d' % (2999999999, 1) }}",
    "format filter": "{{ '%2999999999d'|format(1) }}",
    "format": "{{ '{:>2999999999}'.format(1) }}",
    "nested format": "{{ '{:>{}}'.format(1, 2999999999) }}",
    "center": "{{ 'x'|center(3000000000) }}",
    "zfill": "{{ 'x'.zfill(3000000000) }}",
    "expandtabs": "{{ ('\t' * 60000).expandtabs(60000) }}",
    "replace filter": LONG + "{{ x|replace('x', x) }}",
    "replace": LONG + "{{ x.replace('x', x) }}",
    "join filter": LONG + "{{ range(60000)|join(x) }}",
    "join of generated": LONG + "{{ range(60000)|map('string')|join(x) }}",
    "join": LONG + "{{ x.join(x) }}",
    "indent": "{% set x = '\n' * 60000 %}{{ x|indent(60000, true, true) }}",
    "batch": "{{ ([1]|batch(4000000000, 'x')|list)|length }}",
    "json": "{{ messages|tojson(indent=1000000000) }}",
    "output": "{% set x = 'x' * 1000000 %}{% for i in range(9000) %}{{ x }}{% endfor %}",
    "macro": "{% set x = 'x' * 1000000 %}{% macro f() %}{% for i in range(9000) %}{{ x }}{% endfor %}{% endmacro %}"
    "{{ f()|length }}",
    "kept": "{% set ns = namespace(a=[]) %}{% for i in range(9000) %}"
    "{% set ns.a = ns.a + ['x' * 1000000] %}{% endfor %}",
    "parentheses": "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("llama")
    return load_tokenizer(tiny_llama(folder))


@pytest.mark.parametrize("template", GREEDY.values(), ids=GREEDY)
def test_a_greedy_template_is_refused(tokenizer: Any, template: str) -> None:
    tokenizer.chat_template = template
    with pytest.raises(TrainingError) as caught:
        ChatRenderer(tokenizer).prompt(TALK)
    assert caught.value.code == "template_error"


def test_what_templates_really_do_is_as_before(tokenizer: Any) -> None:
    tokenizer.chat_template = (
        "{%- set ns = namespace(out='', seen=[]) -%}"
        "{%- macro turn(m) -%}<|{{ m['role'] }}|>{{ m.content | trim | replace('x', 'y') }}{%- endmacro -%}"
        "{%- for m in messages -%}"
        "{%- set ns.out = ns.out + turn(m) ~ '\\n' * 2 -%}{%- set ns.seen = ns.seen + [m.role] -%}{%- endfor -%}"
        "{{- ns.out }}{{ ns.seen | join(', ') | indent(2) }} {{ '%s of {}'.format(7) % 'x' }} {{ 2 ** 10 }}"
        "{{ messages | map(attribute='role') | map('upper') | join('/') }} {{ 'a.b'.split('.')[-1] }} "
        "{{ 'z' | center(3) }}"
        "{{ {'a': [1, 'ب']} | tojson(indent=1) }} {{ '{:>4}|'.format('x') }} {{ messages[0].content.startswith('س') }}"
    )
    rendered = ChatRenderer(tokenizer).prompt(TALK)
    assert rendered == (
        f"<|user|>سلام\n\n<|assistant|>{('درود ' * 400).strip()}\n\nuser, assistant x of 7 1024USER/ASSISTANT b  z "
        '{\n "a": [\n  1,\n  "ب"\n ]\n}    x| True'
    )


def test_a_long_conversation_is_taken_however_it_is_put_together(tokenizer: Any) -> None:
    tokenizer.chat_template = (
        "{% set ns = namespace(out='') %}{% for m in messages %}{% set ns.out = ns.out + m.content %}{% endfor %}"
        "{{ ns.out }}"
    )
    talk = [Turn("user", "پرسش " * 400), Turn("assistant", "پاسخ " * 400)] * 100
    assert len(ChatRenderer(tokenizer).prompt(talk)) == 200 * 2000


def test_transformers_compiles_templates_in_this_environment() -> None:
    """It takes the name from its own module: should that change, nothing would be bounded."""
    with bounded_rendering():
        module = sys.modules["transformers.utils.chat_template_utils"]
        compiled = module._compile_jinja_template("{{ 1 }} of this test alone")
    assert type(compiled.environment) is BoundedEnvironment
