"""Whether a merged model, read back from disk, is the one that was merged."""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import Tensor

from worker.trainer.errors import TrainingError

TEXTS = ("سلام! Hello, world.", "پایتخت ایران کجاست؟ The capital of France is")
_NEW_TOKENS = 8
# Of the logits' spread. A tensor that is missing, swapped or not merged is further off than this by far.
_TOLERANCE = 0.1


class Check:
    """`expect` sees what a model is to be like, `same` and `found` what came out of it."""

    def __init__(self, tokenizer: Any, threads: int) -> None:
        """`threads` of the CPU, 0 for all that this process may use."""
        torch.set_num_threads(threads or len(os.sched_getaffinity(0)))
        self._tokenizer = tokenizer
        self._inputs = [tokenizer(text, return_tensors="pt")["input_ids"] for text in TEXTS]
        self._expected: list[Tensor] = []

    def expect(self, adapted: Any) -> None:
        """Note what this model computes."""
        self._expected = [_logits(adapted, ids) for ids in self._inputs]

    def difference(self, model: Any) -> float:
        """The most that its logits differ from what is expected, as a share of their spread."""
        pairs = zip(self._expected, (_logits(model, ids) for ids in self._inputs), strict=True)
        return max(_difference(expected, found) for expected, found in pairs)

    def same(self, model: Any, what: str, tolerance: float = _TOLERANCE) -> float:
        """Its difference. Raises TrainingError, saying `what` differs, when it computes something else."""
        difference = self.difference(model)
        if not difference <= tolerance:
            message = f"{what} by {difference:.3g} of the logits' spread."
            raise TrainingError("bad_export", message, "Nothing was registered. The adapter is as it was.")
        return difference

    def found(self, model: Any, tolerance: float = _TOLERANCE) -> dict[str, Any]:
        """How much the model that was read back differs, and how it goes on from a text. Raises TrainingError."""
        difference = self.same(model, "The model, read back, differs from what was written", tolerance)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        return {"difference": difference, "sample": self._sample(model), "parameters": parameters}

    def _sample(self, model: Any) -> str:
        ids = self._inputs[-1]
        with torch.no_grad():
            output = model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                max_new_tokens=_NEW_TOKENS,
                pad_token_id=self._tokenizer.pad_token_id or 0,
            )
        return str(self._tokenizer.decode(output[0, ids.shape[1] :], skip_special_tokens=True)).strip()


def _logits(model: Any, ids: Tensor) -> Tensor:
    with torch.no_grad():
        found = model(input_ids=ids).logits.float()
    assert isinstance(found, Tensor)
    return found


def _difference(expected: Tensor, found: Tensor) -> float:
    """NaN where either has one, infinite where the vocabulary is another."""
    if expected.shape != found.shape:
        return float("inf")
    return float((found - expected).abs().max() / expected.std().clamp_min(1e-3))
