"""A language model in memory: its weights, tokenizer and template."""

from __future__ import annotations

import inspect
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from kargah.formats.base import Turn
from worker.inference.errors import ContextTooLong, NotUsable, reading
from worker.inference.weights import require_all, require_rank, require_room
from worker.trainer.chat_render import ChatRenderer
from worker.trainer.errors import TrainingError

_DEFAULT_TEMPERATURE = 0.7
_FALLBACK_CONTEXT = 2048
_TEMPLATE_SECONDS = 5.0
_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
_TURN_ENDS = ("<|im_end|>", "<|eot_id|>", "<end_of_turn>")


@dataclass(frozen=True)
class LanguageModel:
    """`stops` are the ids that end an answer, `stop_texts` what ends it where the tokenizer has no such token.

    Not to be used by two threads at once.
    """

    model: Any
    tokenizer: Any
    renderer: ChatRenderer
    context_length: int
    stops: frozenset[int]
    stop_texts: list[str]
    last_logits_only: bool

    @property
    def device(self) -> torch.device:
        device: torch.device = self.model.device
        return device

    @property
    def default_temperature(self) -> float:
        """What the model's own settings say, if they say anything."""
        config = self.model.generation_config
        return float(config.temperature) if config.do_sample and config.temperature else _DEFAULT_TEMPERATURE

    @property
    def default_top_p(self) -> float:
        config = self.model.generation_config
        return float(config.top_p) if config.do_sample and config.top_p else 1.0

    def prompt(self, turns: list[Turn]) -> list[int]:
        """The tokens after which the assistant answers. Raises NotUsable, ContextTooLong."""
        try:
            text = self.renderer.prompt(turns)
        except TrainingError as error:
            raise NotUsable(error.message, error.hint) from error
        tokens: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        if not tokens:
            raise NotUsable("The conversation is empty.")
        if len(tokens) >= self.context_length:
            raise ContextTooLong(
                f"The conversation has {len(tokens)} tokens, and the model's context has {self.context_length}.",
                hint="Leave out earlier turns.",
            )
        return tokens


# While it builds a model, transformers changes how torch makes tensors, for all threads: of two that are loaded at
# once, one would be left without weights.
_LOADING = threading.Lock()


def open_language_model(model_dir: Path, base_dir: Path | None, device: str) -> LanguageModel:
    """From a folder, or from an adapter's folder and its base's, one after another. Raises NotUsable where they do not
    load."""
    with _LOADING:
        return _open(model_dir, base_dir, device)


def _open(model_dir: Path, base_dir: Path | None, device: str) -> LanguageModel:
    from transformers import AutoTokenizer

    folder = base_dir or model_dir
    target = _device(device)
    dtype = torch.bfloat16 if target.type == "cuda" else torch.float32
    with reading("The model cannot be loaded"):
        model = _weights(folder, dtype)
        if base_dir is not None:
            model = _merged(model, model_dir)
        has_own = any(model_dir.glob("tokenizer*"))
        tokenizer = AutoTokenizer.from_pretrained(model_dir if has_own else folder, **_LOCAL)
    model = model.to(target).eval()
    renderer = ChatRenderer(tokenizer, _TEMPLATE_SECONDS)
    return LanguageModel(
        model=model,
        tokenizer=tokenizer,
        renderer=renderer,
        context_length=_context_length(model.config, tokenizer),
        stops=_stops(model, tokenizer),
        stop_texts=_stop_texts(renderer, tokenizer),
        last_logits_only="logits_to_keep" in inspect.signature(model.forward).parameters,
    )


def _weights(folder: Path, dtype: torch.dtype) -> Any:
    """The model without its tokenizer, every weight from its files."""
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(folder, **_LOCAL)
    require_room(folder, config)
    model, found = AutoModelForCausalLM.from_pretrained(
        folder, config=config, dtype=dtype, use_safetensors=True, output_loading_info=True, **_LOCAL
    )
    require_all(found["missing_keys"])
    return model


def _merged(model: Any, adapter_dir: Path) -> Any:
    """With the adapter folded in, a token costs as much as with the base alone."""
    from peft import PeftModel

    require_rank(adapter_dir)
    return PeftModel.from_pretrained(model, adapter_dir, local_files_only=True).merge_and_unload()


def _device(wanted: str) -> torch.device:
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(wanted)


def _context_length(config: Any, tokenizer: Any) -> int:
    limits = [getattr(config, "max_position_embeddings", None), tokenizer.model_max_length]
    known = [limit for limit in limits if isinstance(limit, int) and 0 < limit < 1 << 24]
    return min(known, default=_FALLBACK_CONTEXT)


def _stops(model: Any, tokenizer: Any) -> frozenset[int]:
    """Whatever ends an answer: the model's and the tokenizer's end tokens, and the end of a turn."""
    configured = model.generation_config.eos_token_id
    found = [configured] if isinstance(configured, int) else list(configured or [])
    found.append(tokenizer.eos_token_id)
    for token in _TURN_ENDS:
        found.append(tokenizer.get_vocab().get(token))
    return frozenset(token for token in found if token is not None)


def _stop_texts(renderer: ChatRenderer, tokenizer: Any) -> list[str]:
    """Ends of turns that the template writes and the tokenizer spells out."""
    tokens = tokenizer.get_vocab()
    return [end for end in _TURN_ENDS if end in renderer.template and end not in tokens]
