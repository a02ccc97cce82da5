"""Turns, the pool of models, text as it comes, sampling, and watching the client: each by itself."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime

import pytest
import torch
from flask import Flask
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from kargah.contracts.models import ModelFacts, ModelLocation, ModelVersionView
from kargah.testing.waiting import wait_until
from worker.inference import client_socket
from worker.inference.client_socket import remember_connections, watch_client
from worker.inference.errors import Busy
from worker.inference.pool import ModelPool
from worker.inference.sampling import Sampler, Sampling
from worker.inference.text_stream import StopText, TokenText
from worker.inference.turns import Turns

CPU = torch.device("cpu")


def location(name: str) -> ModelLocation:
    version = ModelVersionView(
        id=name, model=name, version=1, files=[], facts=ModelFacts(kind="causal_lm"), size_bytes=0, source="test",
        created_at=datetime.now(UTC),
    )  # fmt: skip
    return ModelLocation(version=version, bucket="b", prefix="p")


def test_turns_come_in_order_and_only_so_many_wait() -> None:
    turns, order = Turns(2), list[int]()

    def take(number: int) -> None:
        with turns.turn():
            order.append(number)

    with turns.turn():
        threads = []
        for number in range(2):
            threads.append(threading.Thread(target=take, args=(number,)))
            threads[-1].start()
            wait_until(lambda: turns.waiting == len(threads))
        with pytest.raises(Busy), turns.turn():
            raise AssertionError("a third one waits")
    for thread in threads:
        thread.join()
    assert order == [0, 1]
    with turns.turn():
        assert turns.waiting == 0


class Loads:
    """Counts what is loaded and let go."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.unloaded: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def load(self, location: ModelLocation) -> str:
        self.gate.wait(10)
        if location.version.id == "broken":
            raise ValueError("broken")
        self.loaded.append(location.version.id)
        return location.version.id

    def unload(self, version_id: str, model: str) -> None:
        assert version_id == model
        self.unloaded.append(model)


def pool(loads: Loads, capacity: int = 2) -> ModelPool[str]:
    return ModelPool(capacity, 8, loads.load, loads.unload)


def use(pool: ModelPool[str], *names: str) -> None:
    for name in names:
        with pool.turn(location(name)) as model:
            assert model == name


def test_the_least_recently_used_model_leaves() -> None:
    loads = Loads()
    models = pool(loads)
    use(models, "a", "b", "a", "c", "a", "b")
    assert loads.loaded == ["a", "b", "c", "b"]
    assert loads.unloaded == ["b", "c"] and models.loaded == 2


def test_a_model_in_use_does_not_leave() -> None:
    loads = Loads()
    models = pool(loads, capacity=1)
    done = threading.Event()

    def other() -> None:
        use(models, "b")
        done.set()

    with models.turn(location("a")):
        thread = threading.Thread(target=other)
        thread.start()
        assert not done.wait(0.2) and loads.unloaded == []
    assert done.wait(10)
    thread.join()
    assert loads.unloaded == ["a"]


def test_many_ask_and_it_is_loaded_once() -> None:
    loads = Loads()
    models = pool(loads)
    loads.gate.clear()
    threads = [threading.Thread(target=use, args=(models, "a")) for _ in range(6)]
    for thread in threads:
        thread.start()
    loads.gate.set()
    for thread in threads:
        thread.join()
    assert loads.loaded == ["a"]


def test_a_failure_is_told_and_tried_again() -> None:
    models = pool(Loads(), capacity=1)
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            use(models, "broken")
    use(models, "a")
    assert models.loaded == 1


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(["hello there"], trainers.BpeTrainer(vocab_size=280, initial_alphabet=alphabet))
    return PreTrainedTokenizerFast(tokenizer_object=bpe)


@pytest.mark.parametrize("text", ["سلام، دنیا", "🙂🙃 hello", "a\u200cb  c", "", "خ"])
def test_characters_come_whole(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    stream = TokenText(tokenizer)
    pieces = [stream.push(token) for token in tokenizer.encode(text)]
    assert "".join(pieces) + stream.finish() == text
    assert not any("\ufffd" in piece for piece in pieces)


def test_a_character_that_stays_broken_comes_at_the_end(tokenizer: PreTrainedTokenizerFast) -> None:
    stream = TokenText(tokenizer)
    tokens = tokenizer.encode("a🙂")[:-1]
    assert "".join(map(stream.push, tokens)) == "a"
    assert stream.finish() == "\ufffd"


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_stop_text_is_found_across_pieces(cut: int) -> None:
    text = "one two END three"
    stop = StopText(["END", "ENDLESS"])
    told = ""
    for begin in range(0, len(text), cut):
        told += stop.push(text[begin : begin + cut])
        if stop.stopped:
            break
    assert stop.stopped and told == "one two "


def test_what_only_looked_like_a_stop_is_told_in_the_end() -> None:
    stop = StopText(["aab"])
    assert stop.push("xaa") == "x"
    assert stop.push("a") == "a"
    assert stop.finish() == "aa" and not stop.stopped


def test_zero_temperature_takes_the_likeliest() -> None:
    assert Sampler(Sampling(0.0), CPU).draw(torch.tensor([0.0, 3.0, 2.9])) == 1


def test_a_seed_repeats_itself_and_the_nucleus_is_kept() -> None:
    logits = torch.tensor([2.0, 1.9, 1.0, -5.0, 0.5])
    first, second = (Sampler(Sampling(1.0, 0.7, 7), CPU) for _ in range(2))
    drawn = [first.draw(logits) for _ in range(300)]
    assert drawn == [second.draw(logits) for _ in range(300)]
    assert set(drawn) == {0, 1}
    whole = Sampler(Sampling(1.0, 1.0, -3), CPU)
    assert {whole.draw(logits) for _ in range(300)} > {0, 1}
    assert Sampler(Sampling(2.0, 1e-9, 1), CPU).draw(logits) == 0


def test_frequencies_follow_the_probabilities() -> None:
    sampler = Sampler(Sampling(1.0, 1.0, 0), CPU)
    logits = torch.log(torch.tensor([0.7, 0.2, 0.1]))
    drawn = torch.bincount(torch.tensor([sampler.draw(logits) for _ in range(4000)]), minlength=3) / 4000
    assert torch.allclose(drawn, torch.tensor([0.7, 0.2, 0.1]), atol=0.03)


def test_a_client_that_leaves_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_socket, "_EVERY_SECONDS", 0.0)
    ours, theirs = socket.socketpair()
    app = Flask("test")
    remember_connections(app)
    app.add_url_rule("/", "watch", lambda: {"gone": watch_client()()})

    def gone() -> bool:
        answer = app.test_client().get("/", environ_overrides={"gunicorn.socket": ours})
        return bool(answer.get_json()["gone"])

    with ours:
        assert not gone()
        theirs.send(b"pipelined")
        assert not gone()
        ours.recv(100)
        theirs.close()
        assert gone()
    assert app.test_client().get("/").get_json() == {"gone": False}
