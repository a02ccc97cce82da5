"""Places that no repair of Persian spelling may touch: code, addresses, markup, and what is not Persian."""

from __future__ import annotations

import re

from kargah.formats.spelling.edits import Span, Spans

# No part is without bound where it may fail, so that a long text is looked through in one go. Nothing looks at what
# stands before: a control character that goes must not make code of what was none, or the other way round.
_CODE = re.compile(
    r"```[\s\S]*?(?:```|\Z)"  # a fenced block, also one that is never closed
    r"|`[^`\n]+`"
    r"|(?:[A-Za-z][A-Za-z0-9+.-]{0,15}://|www\.)[^\s<>«»\"]+"
    r"|[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9-]{1,64}\.[A-Za-z0-9.-]{1,64}"
    r"|</?[A-Za-z][^<>\n]{0,300}>"
    r"|\{\{[^{}\n]{0,300}\}\}|\$[A-Za-z_]\w*|\\[A-Za-z]{1,30}\{[^{}\n]{0,300}\}"
    r"|(?:[A-Za-z]:\\|~/|\.{0,2}/)[^\s\u0600-\u06ff]{1,300}[/\\][^\s\"«»]*"
)
_STATEMENT = re.compile(
    r"[ \t]*(?:def|class|import|from|return|print|if|elif|else|for|while|public|private|static|void|int|var|let|const"
    r"|function|SELECT|INSERT|UPDATE|DELETE|CREATE|#include)\b"
)
_STATEMENT_ENDS = (":", ";", "{", "}", ")")
_BLOCK_ENDS = (";", "{", "}")
_HINT = re.compile(r"[`:@<$\\/{};=(]|www\.")
_LINE = re.compile(r"[^\n]+")
_QUOTED = re.compile(r"«[^«»\n]*»|﴿[^﴿﴾\n]*﴾|“[^“”\n]*”|\"[^\"\n]*\"")
_WORD = re.compile("[\u0620-\u065f\u0670-\u06d3\u06d5\u06fa-\u06ff\u0750-\u077f]+")
# Letters of Pashto, Urdu, Kurdish, Uyghur, Sindhi and others, whose ي and ك may be rightly written.
_FOREIGN = re.compile("[\u063b-\u063f\u0671-\u067d\u067f-\u0685\u0687-\u0697\u0699-\u06a8\u06aa-\u06ae\u06b0-\u06bf"
                      "\u06c1-\u06cb\u06cd-\u06d3\u06d5\u06fa-\u06ff\u0750-\u077f]")  # fmt: skip
_PERSIAN = re.compile(
    "[پچژگکی]|(?<![\u0620-\u06d3])(?:است|در|را|از|به|كه|اين|آن|با|براي|مي|نمي|بود|شد|هر|يك|شده)(?![\u0620-\u06d3])"
)
_ARABIC_WORD = re.compile(
    "[^\n]*[ةأإ\u064b-\u064d\u064f\u0652][^\n]*|(?:و|ب|ف|ك)?ال..+|لل..+|في|على|هذا|هذه|التي|الذي|ثم|كان|هي|لم|لن|ليس|هل|ذلك|عند|كما|شيء"
)
_VOWELS = re.compile("[\u064b-\u0652]")
_ARABIC_SHARE = 0.3
_VOWEL_SHARE = 0.3


def code_spans(text: str) -> list[Span]:
    """Code, addresses, paths and markup; nothing at all is changed in them."""
    if not _HINT.search(text):
        return []
    lines = [match.span() for match in _LINE.finditer(text) if _is_code(match[0])]
    return [*lines, *(match.span() for match in _CODE.finditer(text))]


def _is_code(line: str) -> bool:
    """Whether a line reads as a statement of some language."""
    end = line.rstrip()[-1:]
    if end in _BLOCK_ENDS:
        return any(sign in line for sign in "=({")
    begin = _STATEMENT.match(line)
    return begin is not None and (end in _STATEMENT_ENDS or "import" in line)


def foreign_spans(text: str) -> list[Span]:
    """Lines and quotations in another language of the Arabic script."""
    lines = [match.span() for match in _LINE.finditer(text) if is_foreign(match[0])]
    quotes = [match.span() for match in _QUOTED.finditer(text) if is_foreign(match[0])]
    return [*lines, *quotes]


def is_foreign(text: str) -> bool:
    """Whether it is Arabic, or a language of its script other than Persian; unsure is no."""
    words = _WORD.findall(text)
    if not words:
        return False
    letters = sum(map(len, words))
    if _FOREIGN.search(text) or len(_VOWELS.findall(text)) > _VOWEL_SHARE * letters:
        return True
    return not _PERSIAN.search(text) and _arabic_words(words) >= _ARABIC_SHARE * len(words)


def _arabic_words(words: list[str]) -> int:
    return sum(_ARABIC_WORD.fullmatch(word) is not None for word in words)


def protected(text: str, *, foreign: bool) -> Spans:
    """What an edit must stay out of; `foreign` for the repairs that only suit Persian."""
    return Spans([*code_spans(text), *(foreign_spans(text) if foreign else ())])
