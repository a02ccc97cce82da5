"""Two valid rows of every dataset format, in its canonical columns."""

from __future__ import annotations

from typing import Any

Sample = tuple[dict[str, Any], dict[str, Any]]

_ASKED = {"role": "user", "content": "پایتخت ایران کجاست؟"}
_ANSWERED = {"role": "assistant", "content": "تهران"}
_OTHER = {"role": "assistant", "content": "نمی‌دانم"}
_HUMAN = {"from": "human", "value": "سلام"}
_BOT = {"from": "gpt", "value": "درود بر شما"}

SAMPLES: dict[str, Sample] = {
    "messages": ({"messages": [_ASKED, _ANSWERED]}, {"messages": [_ASKED, _OTHER]}),
    "sharegpt": ({"conversations": [_HUMAN, _BOT]}, {"conversations": [_HUMAN, _BOT, _HUMAN, _BOT]}),
    "alpaca": (
        {"instruction": "جمع کن", "input": "۲ و ۳", "output": "۵"},
        {"instruction": "شعری بگو", "input": "", "output": "بشنو از نی"},
    ),
    "question_answer": (
        {"question": "بلندترین کوه ایران؟", "answer": "دماوند", "context": "دماوند در البرز است."},
        {"question": "بزرگ‌ترین دریاچه؟", "answer": "خزر", "context": ""},
    ),
    "prompt_completion": (
        {"prompt": "بنی آدم اعضای", "completion": "یک پیکرند"},
        {"prompt": "توانا بود هر که", "completion": "دانا بود"},
    ),
    "labelled_text": ({"text": "فیلم خوبی بود", "label": "مثبت"}, {"text": "وقت تلف کردن", "label": "منفی"}),
    "text": ({"text": "روزی بود و روزگاری"}, {"text": "یکی بود یکی نبود"}),
    "preference": (
        {"prompt": "سلام", "chosen": "سلام، چه کمکی از من برمی‌آید؟", "rejected": "چه؟"},
        {"prompt": [_ASKED], "chosen": [_ANSWERED], "rejected": [_OTHER]},
    ),
    "kto": (
        {"prompt": "پایتخت ایران؟", "completion": "تهران", "label": True},
        {"prompt": [_ASKED], "completion": [_OTHER], "label": False},
    ),
    "token_labels": (
        {"tokens": ["تهران", "زیباست"], "tags": ["B-LOC", "O"]},
        {"tokens": ["حافظ", "در", "شیراز"], "tags": [1, 0, 2]},
    ),
    "speech": (
        {"audio": "clips/001.wav", "text": "سلام دنیا"},
        {"audio": {"path": None, "bytes": "UklGRg=="}, "text": "روز خوش"},
    ),
}
