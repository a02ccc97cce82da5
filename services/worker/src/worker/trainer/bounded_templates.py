"""Chat templates are code from elsewhere: what one rendering may make of text, lists and numbers is bounded.

Jinja's sandbox keeps templates from the process, not from its memory: `'x' * 10**10` and `10 ** 10**9` are one call
into C, which no time limit ends. `transformers` compiles templates in the environment of this module instead.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jinja2 import Template
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

_MOST_AT_ONCE = 16 << 20
"""Characters and members of lists that one operation makes."""
_MOST_IN_ALL = 16 * _MOST_AT_ONCE
"""The same of all operations of a rendering, whether they are kept or not."""
_MOST_BITS = 1 << 16
_UNKNOWN_LENGTH = 100_000  # of what is made on demand: as long as the sandbox's `range` at most
_DEEPEST = 4
_WIDTHS = frozenset({"batch", "center", "expandtabs", "indent", "ljust", "rjust", "round", "slice", "tojson", "zfill"})
_PRODUCTS = frozenset({"indent", "join", "replace", "tojson", "translate", "urlize", "wordwrap"})
_NUMBER = re.compile(r"\d+")
_WIDTH_FROM_ARGUMENT = re.compile(r"%[^%a-z]*\*|:[^{}]*\{")


class TooMuch(Exception):
    """A template makes more than any conversation needs."""


class _Made:
    """What is left for one rendering."""

    def __init__(self) -> None:
        self._left = _MOST_IN_ALL

    def refuse_beyond(self, size: int) -> None:
        if size > min(self._left, _MOST_AT_ONCE):
            raise TooMuch("it makes texts, lists or numbers that are larger than any conversation needs")

    def spend(self, size: int) -> None:
        self.refuse_beyond(size)
        self._left -= size


_made: ContextVar[_Made | None] = ContextVar("kargah_template_made", default=None)


@contextmanager
def bounded_rendering() -> Iterator[None]:
    """What templates make within the block counts together. Raises TooMuch."""
    from transformers.utils import chat_template_utils

    if chat_template_utils.ImmutableSandboxedEnvironment is not BoundedEnvironment:
        chat_template_utils.ImmutableSandboxedEnvironment = BoundedEnvironment
    token = _made.set(_Made())
    try:
        yield
    finally:
        _made.reset(token)


class _Filters(dict[str, Callable[..., Any]]):
    """Filters that count what they make."""

    def __setitem__(self, name: str, function: Callable[..., Any]) -> None:
        super().__setitem__(name, _counted(name, function))


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """As the sandbox that it is, with a bound on sizes."""

    intercepted_binops = frozenset({"*", "**", "+", "%"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plain, self.filters = self.filters, _Filters()
        for name, function in plain.items():
            self.filters[name] = function

    @staticmethod
    def concat(pieces: Iterable[str], /) -> str:
        """The pieces of what is rendered, as one."""
        return _concat(pieces)

    def from_string(self, *args: Any, **kwargs: Any) -> Template:
        """Compiled code has Jinja's own functions for `~`, macros and blocks: they count as well."""
        template = super().from_string(*args, **kwargs)
        scope = template.root_render_func.__globals__
        scope |= {"concat": _concat, "str_join": _counted("", scope["str_join"])}
        return template

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        budget = _made.get()
        if budget is not None:
            budget.refuse_beyond(_size_of_operation(operator, left, right))
        return _spent(super().call_binop(context, operator, left, right))

    def call(self, context: Context, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        own = getattr(function, "__self__", None)
        if isinstance(own, str | bytes | list | tuple):
            _refuse_call(function.__name__, (own, *args), kwargs)
        return _spent(super().call(context, function, *args, **kwargs))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        wrapped = super().wrap_str_format(value)
        return (
            wrapped if wrapped is None else _counted("format", functools.partial(_formatted, wrapped), value.__self__)
        )


def _formatted(wrapped: Callable[..., str], _pattern: str, *args: Any, **kwargs: Any) -> str:
    return wrapped(*args, **kwargs)


def _counted(name: str, function: Callable[..., Any], *first: Any) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        _refuse_call(name, (*first, *args), kwargs)
        return _spent(function(*first, *args, **kwargs))

    return functools.update_wrapper(call, function, updated=("__dict__",) if hasattr(function, "__dict__") else ())


def _concat(pieces: Iterable[str]) -> str:
    kept = [_spent(piece) for piece in pieces]
    return "".join(kept)


def _refuse_call(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    budget = _made.get()
    if budget is None:
        return
    texts = [_size(each) for each in (*args, *kwargs.values()) if not isinstance(each, int | float)]
    numbers = [each for each in (*args, *kwargs.values()) if isinstance(each, int)]
    if name == "format":
        budget.refuse_beyond(sum(texts) + sum(_widths(each, numbers) for each in args if isinstance(each, str)))
        return
    largest, *others = sorted(texts, reverse=True) or [1]
    factors = [1, *(others if name in _PRODUCTS else ()), *(map(abs, numbers) if name in _WIDTHS else ())]
    budget.refuse_beyond(max(largest, 1) * max(factors))


def _size_of_operation(operator: str, left: Any, right: Any) -> int:
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * abs(right) if operator == "**" else left.bit_length() + right.bit_length()
        return _MOST_AT_ONCE + 1 if bits > _MOST_BITS else 0
    if operator == "%" and isinstance(left, str):
        told = right if isinstance(right, tuple) else (right,)
        return _size(left) + _size(right) + _widths(left, [each for each in told if isinstance(each, int)])
    if operator == "*":
        times = next((abs(each) for each in (left, right) if isinstance(each, int)), 1)
        return max(_size(left), _size(right)) * times
    return _size(left) + _size(right) if operator == "+" else 0


def _widths(pattern: str, numbers: Iterable[int]) -> int:
    """How wide a pattern makes its fields at most."""
    written = sum(int(digits[:12]) for digits in _NUMBER.findall(pattern))
    return written + (sum(map(abs, numbers)) if _WIDTH_FROM_ARGUMENT.search(pattern) else 0)


def _spent(result: Any) -> Any:
    budget = _made.get()
    if budget is not None and not isinstance(result, Iterator):
        budget.spend(_size(result))
    return result


def _size(value: Any, depth: int = 0) -> int:
    """Characters and members; of what is made on demand, as many as there may be."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return len(value) + (sum(_size(each, depth + 1) for each in value) if depth < _DEEPEST else 0)
    if isinstance(value, range):
        return len(value)
    return _UNKNOWN_LENGTH if isinstance(value, Iterator) else 1
