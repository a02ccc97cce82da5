"""What would be trained, over HTTP: the answer must be what the trainer itself makes of the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kargah.adapters.folder_store import FolderStore
from kargah.formats.base import PlainText
from kargah.formats.registry import format_named
from worker.inference.app import build
from worker.inference.catalogue import Catalogue
from worker.inference.config import InferenceSettings
from worker.testing.model_shelf import Shelf, serving
from worker.testing.tiny_models import labelled_rows, question_rows, tiny_bert, tiny_llama, write_rows
from worker.trainer.causal_encoder import CausalEncoder
from worker.trainer.chat_render import ChatRenderer
from worker.trainer.items import Item
from worker.trainer.models import load_tokenizer
from worker.trainer.objective import NextToken
from worker.trainer.rows import RowFile
from worker.trainer.text_encoder import TextEncoder

CHAT = [
    {
        "messages": [
            {"role": "system", "content": "کوتاه پاسخ بده."},
            {"role": "user", "content": "پایتخت ایران کجاست؟"},
            {"role": "assistant", "content": "تهران است."},
            {"role": "user", "content": "می‌خواهم بیشتر بدانم."},
            {"role": "assistant", "content": "بزرگ‌ترین شهر کشور است.", "weight": 0},
            {"role": "user", "content": "red one?"},
            {"role": "assistant", "content": "blue sea"},
        ]
    },
    {"messages": [{"role": "user", "content": "sky"}, {"role": "assistant", "content": "sun " * 40}]},
]
# Models of which one file is not as the libraries expect it.
BROKEN = [
    ("headless", "config.json", '{"model_type": "llama", "num_attention_heads": 0}'),
    ("odd", "config.json", '{"model_type": "llama", "hidden_size": "many"}'),
    ("wordless", "tokenizer.json", "{}"),
]
FOREVER = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


@dataclass(frozen=True)
class Service:
    """A plain client of the service, and what the models and rows were made from."""

    http: Any
    root: Path

    def ask(self, dataset: str, model: str = "tiny", **body: Any) -> Any:
        return self.http.post(f"/api/datasets/{dataset}/tokens", json={"model": model, **body})

    def look(self, dataset: str, model: str = "tiny", **body: Any) -> Any:
        answer = self.ask(dataset, model, **body)
        assert answer.status_code == 200, answer.json
        return answer.json

    def items(self, dataset: str, shape: str, max_length: int) -> list[Item]:
        """What the trainer makes of it."""
        tokenizer = load_tokenizer(self.root / "tiny")
        encoder = CausalEncoder(tokenizer, ChatRenderer(tokenizer), max_length, "-", splits=shape == "text")
        rows = RowFile(self.root / f"{dataset}.jsonl")
        examples = [rows.example(number, format_named(shape)) for number in range(len(rows))]
        return [item for items in encoder.encode(examples) for item in items]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    root = tmp_path_factory.mktemp("tokens")
    store = FolderStore(root / "store")
    shelf = Shelf(store)
    base = shelf.put("tiny", tiny_llama(root / "tiny"))
    adapter = root / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    shelf.put("tuned", adapter, base, kind="adapter")
    shelf.put("bare", tiny_llama(root / "bare", template=False))
    shelf.put("bert", tiny_bert(root / "bert"), kind="encoder")
    slow = load_tokenizer(tiny_llama(root / "slow"))
    slow.chat_template = FOREVER
    slow.save_pretrained(root / "slow")
    shelf.put("slow", root / "slow")
    for name, file, content in BROKEN:
        (tiny_llama(root / name) / file).write_text(content)
        shelf.put(name, root / name)
    shelf.put_rows("chat", write_rows(root / "chat.jsonl", CHAT), "messages")
    shelf.put_rows("qa", write_rows(root / "qa.jsonl", question_rows(150)), "question_answer")
    shelf.put_rows("texts", write_rows(root / "texts.jsonl", [{"text": "sea " * 90}, {"text": "sky"}]), "text")
    shelf.put_rows("labels", write_rows(root / "labels.jsonl", labelled_rows(20)), "labelled_text")
    with serving(shelf):
        settings = InferenceSettings(
            registry_url=shelf.url, datasets_url=shelf.url, data_dir=root / "data", s3_endpoint="http://-",
            s3_access_key="-", s3_secret_key="-", tokens_seconds=2,
        )  # fmt: skip
        catalogue = Catalogue(shelf.url)
        yield Service(build(settings, catalogue, store).test_client(), root)
        catalogue.close()


def joined(row: Any, *states: str) -> str:
    return "".join(span["text"] for span in row["spans"] if span["state"] in states)


def test_a_persian_conversation_token_by_token(service: Service) -> None:
    answer = service.look("chat")
    (row,) = answer["rows"]
    item = service.items("chat", "messages", 1024)[0]

    assert (answer["recipe"], answer["learns"], answer["template"]) == ("sft", "tokens", "model")
    assert (answer["maxLength"], answer["length"]) == (1024, 256)
    assert [piece["id"] for piece in row["pieces"]] == item.ids.tolist()
    assert [piece["state"] == "trained" for piece in row["pieces"]] == item.trained.tolist()
    assert row["trainedTokens"] == item.trained.sum() > 0
    assert joined(row, "trained") == "تهران است.<|im_end|>blue sea<|im_end|>"
    assert joined(row, "read", "trained") == "".join(
        f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in CHAT[0]["messages"]
    )


def test_what_is_cut_off_is_told(service: Service) -> None:
    (whole,) = service.items("chat", "messages", 1024)[1:]
    (cut,) = service.items("chat", "messages", 30)[1:]
    answer = service.look("chat", rows={"offset": 1}, maxLength=30)
    (row,) = answer["rows"]

    assert answer["length"] == 30 and row["row"] == 1
    assert (row["tokens"], row["cutTokens"]) == (len(whole.ids), len(whole.ids) - 30)
    assert (row["trainedTokens"], row["cutTrainedTokens"]) == (cut.trained.sum(), (whole.trained[30:]).sum())
    assert joined(row, "cut").endswith("sun <|im_end|>\n")
    assert answer["figures"]["cutRows"] == 2


def test_figures_are_the_sums_of_what_the_trainer_makes(service: Service) -> None:
    items = service.items("qa", "question_answer", 24)
    lengths = sorted(len(item.ids) for item in service.items("qa", "question_answer", 1024))
    figures = service.look("qa", maxLength=24, rows={"limit": 0})["figures"]

    assert (figures["rows"], figures["asked"], figures["rowsInVersion"]) == (150, 150, 150)
    assert figures["trainedTokens"] == sum(len(NextToken().prepare(item, 0, 0).targets) for item in items)
    assert figures["tokens"] == sum(lengths) and figures["cutTokens"] == sum(max(0, each - 24) for each in lengths)
    assert figures["untrainedRows"] == sum(not item.trained[1:].any() for item in items)
    assert figures["lengths"]["max"] == lengths[-1] and figures["lengths"]["p50"] in lengths
    assert sum(bucket["rows"] for bucket in figures["lengths"]["histogram"]) == 150
    for bucket in figures["lengths"]["histogram"]:
        assert bucket["rows"] == sum(bucket["least"] <= each <= bucket["most"] for each in lengths)


def test_a_sample_is_the_same_each_time_and_says_how_large_it_is(service: Service) -> None:
    first, again, other = (service.look("qa", sample=40, seed=seed)["figures"] for seed in (1, 1, 2))

    assert first == again != other
    assert (first["rows"], first["rowsInVersion"]) == (40, 150)
    assert service.look("qa", sample=0)["figures"] is None


def test_persian_words_are_counted_where_they_stand(service: Service) -> None:
    persian = service.look("chat", sample=2)["figures"]["persian"]
    tokenizer = load_tokenizer(service.root / "tiny")
    words = " ".join(turn["content"] for turn in CHAT[0]["messages"][:5])

    assert persian["words"] == len(words.split()) == 15
    assert persian["letters"] == sum(letter.isalpha() for letter in words)
    assert persian["tokensPerWord"] == pytest.approx(persian["tokens"] / 15, abs=1e-3)
    assert persian["tokens"] <= len(tokenizer(words)["input_ids"])
    assert persian["unknownRate"] == 0


def test_an_encoder_reads_words_and_does_not_know_all_of_them(service: Service) -> None:
    answer = service.look("chat", "bert", rows={"limit": 2}, maxLength=16)
    tokenizer = load_tokenizer(service.root / "bert")
    (cut,) = TextEncoder(tokenizer, 16, "-", splits=False).encode([PlainText("sky\n" + "sun " * 40)])[0]
    row = answer["rows"][1]

    assert (answer["recipe"], answer["learns"], answer["template"]) == ("masked-lm", "masked_tokens", None)
    assert row["trainedTokens"] == cut.trained.sum() == 14
    assert row["tokens"] == len(tokenizer("sky\n" + "sun " * 40)["input_ids"])
    assert row["cutTokens"] == row["tokens"] - 15
    assert 0 < answer["figures"]["persian"]["unknownRate"] <= 1


def test_a_long_text_is_divided_and_nothing_of_it_cut(service: Service) -> None:
    answer = service.look("texts", maxLength=64)
    assert answer["rows"][0]["items"] > 1 and answer["template"] is None
    assert (answer["rows"][0]["cutTokens"], answer["figures"]["cutRows"]) == (0, 0)
    assert answer["figures"]["trainedTokens"] == sum(
        item.trained[1:].sum() for item in service.items("texts", "text", 64)
    )


def test_a_classifier_learns_the_label(service: Service) -> None:
    answer = service.look("labels")
    assert (answer["recipe"], answer["learns"]) == ("text-classification", "label")
    assert answer["rows"][0]["label"] in {"colour", "number", "animal"}
    assert answer["rows"][0]["trainedTokens"] == 0


def test_an_adapter_reads_with_its_base(service: Service) -> None:
    assert service.look("qa", "tuned")["rows"] == service.look("qa", "tiny@1")["rows"]


def test_the_platforms_own_template_is_named_every_time(service: Service) -> None:
    answers = [service.look("chat", "bare") for _ in range(2)]
    assert [answer["template"] for answer in answers] == ["kargah", "kargah"]
    assert answers[0] == answers[1]


def test_a_template_that_never_ends_costs_its_time_and_no_more(service: Service) -> None:
    answer = service.ask("chat", "slow")
    assert answer.status_code == 400 and "more than 2 s" in answer.json["detail"]
    assert service.look("chat")["rows"]


@pytest.mark.parametrize("model", [name for name, _, _ in BROKEN])
def test_a_model_that_cannot_be_read_is_refused_and_leaves_nothing(service: Service, model: str) -> None:
    answer = service.ask("chat", model)
    assert answer.status_code == 400 and "cannot be read" in answer.json["detail"], answer.json
    assert f"mv_{model}_1" not in {path.name for path in (service.root / "data" / "tokenizers").iterdir()}


@pytest.mark.parametrize(
    ("dataset", "body", "status", "field"),
    [
        ("absent", {}, 404, None),
        ("chat", {"model": "absent"}, 404, None),
        ("chat", {"version": 7}, 404, None),
        ("chat", {"rows": {"offset": 2}}, 422, "rows.offset"),
        ("chat", {"rows": {"limit": 21}}, 422, "rows.limit"),
        ("chat", {"recipe": "wizard"}, 422, "recipe"),
        ("chat", {"recipe": "text-classification"}, 422, "recipe"),
        ("labels", {"model": "tuned"}, 422, "model"),
        ("chat", {"maxLength": 1}, 422, "maxLength"),
        ("chat", {"sample": -1}, 422, "sample"),
        ("chat", {"magic": 1}, 422, "magic"),
    ],
)
def test_what_cannot_be_is_refused(
    service: Service, dataset: str, body: dict[str, Any], status: int, field: str | None
) -> None:
    answer = service.ask(dataset, **body)
    assert answer.status_code == status, answer.json
    assert [error["field"] for error in answer.json["errors"]] == ([field] if field else [])
