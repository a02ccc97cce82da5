"""The inference service over HTTP, with real models of a toy's size, as OpenAI's own client sees it."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest
import torch
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from kargah.adapters.folder_store import FolderStore
from kargah.testing.serving import served
from kargah.testing.waiting import wait_until
from worker.inference.app import build
from worker.inference.catalogue import Catalogue
from worker.inference.chat import usual_tokens
from worker.inference.config import InferenceSettings
from worker.testing.model_shelf import Shelf, serving
from worker.testing.tiny_models import tiny_llama

# peft asks transformers by an older name.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

CONTEXT = 512
ASK: list[Any] = [{"role": "user", "content": "سلام! چطوری؟"}]


@dataclass
class Service:
    """A running service, OpenAI's client of it, and a plain Flask one."""

    shelf: Shelf
    client: openai.OpenAI
    http: Any
    port: int
    data_dir: Path

    def create(self, options: dict[str, Any]) -> Any:
        given = {"model": "tiny", "messages": ASK, "temperature": 0, "max_tokens": 12, **options}
        return self.client.chat.completions.create(**given)

    def chat(self, **options: Any) -> ChatCompletion:
        answer = self.create(options)
        assert isinstance(answer, ChatCompletion)
        return answer

    def text(self, **options: Any) -> str:
        return self.chat(**options).choices[0].message.content or ""

    def chunks(self, **options: Any) -> list[ChatCompletionChunk]:
        return list(self.create({"stream": True, **options}))

    def metric(self, line: str) -> float:
        for one in self.http.get("/metrics").get_data(as_text=True).splitlines():
            if one.startswith(line + " "):
                return float(one.split()[-1])
        return 0.0


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    found = {
        "tiny": tiny_llama(root / "tiny", context=CONTEXT, initializer_range=0.4),
        "bare": tiny_llama(root / "bare", template=False, marks=False, context=CONTEXT, initializer_range=0.4),
    }
    found["hollow"] = shutil.copytree(found["bare"], root / "hollow")
    config = json.loads((found["hollow"] / "config.json").read_text())
    (found["hollow"] / "config.json").write_text(
        json.dumps(config | {"hidden_size": 8192, "intermediate_size": 1 << 20})
    )
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(found["tiny"])
    lora = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    get_peft_model(model, lora).save_pretrained(root / "tuned")
    return found | {"tuned": root / "tuned"}


@pytest.fixture(scope="module")
def service(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    root = tmp_path_factory.mktemp("service")
    store = FolderStore(root / "store")
    shelf = Shelf(store)
    base = shelf.put("tiny", folders["tiny"])
    shelf.put("owner/tuned", folders["tuned"], base, kind="adapter")
    shelf.put("bare", folders["bare"])
    shelf.put("hollow", folders["hollow"])
    shelf.put("enc", folders["tiny"], kind="encoder")
    with serving(shelf):
        settings = InferenceSettings(
            registry_url=shelf.url, datasets_url=shelf.url, data_dir=root / "data", s3_endpoint="http://-",
            s3_access_key="-", s3_secret_key="-", compute_threads=1, queue_length=1,
        )  # fmt: skip
        catalogue = Catalogue(shelf.url)
        app = build(settings, catalogue, store)
        with served(app) as url, openai.OpenAI(base_url=f"{url}/v1", api_key="-", max_retries=0) as client:
            yield Service(shelf, client, app.test_client(), int(url.rpartition(":")[2]), root / "data")
        catalogue.close()


def test_the_answer_is_what_transformers_generates(service: Service, folders: dict[str, Path]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders["tiny"])
    model = AutoModelForCausalLM.from_pretrained(folders["tiny"])
    prompt = tokenizer.apply_chat_template(ASK, add_generation_prompt=True, return_tensors="pt")
    tokens = model.generate(**prompt, max_new_tokens=12, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    answer = service.chat()
    assert answer.choices[0].message.content == tokenizer.decode(tokens, skip_special_tokens=True)
    assert answer.usage is not None and answer.usage.prompt_tokens == prompt["input_ids"].shape[1]
    assert answer.usage.completion_tokens == len([token for token in tokens if token != tokenizer.eos_token_id])
    assert answer.object == "chat.completion" and answer.id.startswith("chatcmpl")


def test_a_long_prompt_is_read_in_pieces(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = service.text()
    monkeypatch.setattr("worker.inference.generation._PREFILL", 3)
    assert service.text() == whole


def test_a_stream_says_the_same(service: Service) -> None:
    whole = service.chat()
    chunks = service.chunks(stream_options={"include_usage": True})
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == service.text()
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason
    assert chunks[-1].usage == whole.usage and chunks[-1].choices == []


def test_a_stream_ends_with_done(service: Service) -> None:
    body = {"model": "tiny", "messages": ASK, "max_tokens": 2, "stream": True}
    answer = service.http.post("/v1/chat/completions", json=body)
    assert answer.content_type.startswith("text/event-stream")
    assert answer.get_data(as_text=True).endswith("data: [DONE]\n\n")


def test_a_seed_repeats_itself(service: Service) -> None:
    options: dict[str, Any] = {"temperature": 1.5, "seed": 42, "max_tokens": 40}
    first = service.text(**options)
    assert service.text(**options) == first
    assert any(service.text(**{**options, "seed": seed}) != first for seed in (1, 2, 3))


def test_it_stops_where_it_is_told(service: Service) -> None:
    whole = service.text(max_tokens=40)
    stop = whole[len(whole) // 2 : len(whole) // 2 + 2]
    cut = service.chat(max_tokens=40, stop=[stop, "never to be seen"])
    assert cut.choices[0].message.content == whole[: whole.index(stop)]
    assert cut.choices[0].finish_reason == "stop"
    assert service.chat(max_tokens=1).choices[0].finish_reason == "length"


def test_an_adapter_speaks_through_its_base(service: Service, folders: dict[str, Path]) -> None:
    tuned = service.text(model="owner/tuned")
    assert tuned != service.text()
    assert service.text(model="tiny@1") == service.text()


def test_models_are_listed(service: Service) -> None:
    assert {model.id for model in service.client.models.list()} == {"tiny", "owner/tuned", "bare", "hollow"}
    assert service.client.models.retrieve("owner/tuned").owned_by == "kargah"
    assert service.http.get("/v1/models/owner%2Ftuned").json["id"] == "owner/tuned"


def test_an_alias_is_followed(service: Service) -> None:
    assert service.client.models.retrieve("tiny@production").id == "tiny@production"


def test_a_model_that_is_larger_than_its_files_is_refused(service: Service, folders: dict[str, Path]) -> None:
    with pytest.raises(openai.BadRequestError, match=r"describes [0-9,]+ weights, and its files hold"):
        service.chat(model="hollow")
    assert service.text() is not None


@pytest.mark.parametrize("model", ["absent", "tiny@2", "tiny@x", "enc", "../tiny", "a b"])
def test_an_unknown_model_is_not_found(service: Service, model: str) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        service.chat(model=model)
    assert caught.value.code == "model_not_found"
    assert caught.value.response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 2}, "n"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"frequency_penalty": 1.0}, "frequency_penalty"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"extra_body": {"magic": 1}}, "magic"),
    ],
)
def test_what_is_not_served_is_refused(service: Service, options: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        service.chat(**options)
    assert caught.value.param == param and caught.value.type == "invalid_request_error"


def test_too_many_stops_are_refused(service: Service) -> None:
    for stop in (["a"] * 5, [""]):
        with pytest.raises(openai.BadRequestError, match="stop"):
            service.chat(stop=stop)


def test_broken_bodies_are_refused(service: Service) -> None:
    for body, status in (("{", 400), ("[" * 100_000, 400), ('{"model": "\\u0000"}', 400), ("", 400)):
        answer = service.http.post("/v1/chat/completions", data=body, content_type="application/json")
        assert answer.status_code == status and set(answer.json) == {"error"}


def test_a_conversation_beyond_the_context_is_refused(service: Service) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        service.chat(messages=[{"role": "user", "content": "سلام " * 600}])
    assert caught.value.code == "context_length_exceeded" and str(CONTEXT) in caught.value.message
    most = service.chat(max_tokens=100_000, temperature=2, seed=3)
    assert most.usage is not None and most.usage.completion_tokens > 256 and most.usage.total_tokens <= CONTEXT
    usual = service.chat(max_tokens=None, temperature=2, seed=3)
    assert usual.usage is not None and usual.usage.completion_tokens == usual_tokens("cpu") == 256
    assert usual.choices[0].finish_reason == "length"


def test_messages_may_come_in_parts(service: Service) -> None:
    parts = [{"type": "text", "text": "سلام! "}, {"type": "text", "text": "چطوری؟"}]
    assert service.text(messages=[{"role": "user", "content": parts}]) == service.text()


def test_a_model_without_a_template_uses_the_default_one(service: Service) -> None:
    assert isinstance(service.text(model="bare", stop=None), str)


def test_two_models_stay_in_memory_and_their_folders_with_them(service: Service) -> None:
    for model in ("tiny", "owner/tuned", "bare", "tiny"):
        service.text(model=model, max_tokens=1)
    assert service.metric("kargah_inference_models_loaded") == 2
    assert {path.name for path in (service.data_dir / "models").iterdir()} == {"mv_tiny_1", "mv_bare_1"}


def test_a_client_that_leaves_frees_the_model(service: Service) -> None:
    before = service.metric('kargah_inference_answers_total{outcome="abandoned"}')
    body = json.dumps(
        {"model": "tiny", "messages": ASK, "max_tokens": CONTEXT, "temperature": 2, "seed": 1, "stream": True}
    )
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.sendall(f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode())
        received = b""
        while b"data: " not in received:
            received += connection.recv(1000)
            assert received.startswith(b"HTTP/1.1 200"[: len(received)]), received
    wait_until(lambda: service.metric('kargah_inference_answers_total{outcome="abandoned"}') > before)
    assert service.text(max_tokens=1) is not None


def test_who_comes_when_too_many_wait_is_told_to_come_again(service: Service) -> None:
    service.text(max_tokens=1)
    statuses: list[int] = []

    def ask() -> None:
        body = {"model": "tiny", "messages": ASK, "max_tokens": 100, "temperature": 2, "seed": 1}
        with service.http.application.test_client() as http:
            statuses.append(http.post("/v1/chat/completions", json=body).status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200, 429} and statuses.count(200) >= 2


def test_it_is_ready_when_the_registry_answers(service: Service) -> None:
    assert service.http.get("/readyz").json["failed"] == []
    assert service.metric('kargah_inference_tokens_total{kind="prompt"}') > 0


def test_a_registry_that_is_away_is_unavailable(service: Service, tmp_path: Path) -> None:
    settings = InferenceSettings(
        registry_url="http://127.0.0.1:1", datasets_url="http://127.0.0.1:1", data_dir=tmp_path, s3_endpoint="http://-",
        s3_access_key="-", s3_secret_key="-",
    )  # fmt: skip
    catalogue = Catalogue(settings.registry_url)
    http: Any = build(settings, catalogue, FolderStore(tmp_path)).test_client()
    answer = http.post("/v1/chat/completions", json={"model": "tiny", "messages": ASK})
    assert answer.status_code == 503 and answer.json["error"]["type"] == "server_error"
    assert http.get("/readyz").status_code == 503
    catalogue.close()
