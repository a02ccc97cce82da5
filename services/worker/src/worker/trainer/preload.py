"""Imports everything a training needs, for a process that forks trainers: no thread, no CUDA."""

from __future__ import annotations

import importlib

_MODULES = (
    "torch",
    "torch.nn.attention.varlen",
    "accelerate",
    "peft",
    "tokenizers",
    "transformers.generation.utils",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
    "transformers.models.bert.modeling_bert",
    "transformers.models.llama.modeling_llama",
    "transformers.models.llama.tokenization_llama",
    "transformers.models.gpt2.tokenization_gpt2",
    "transformers.models.qwen2.modeling_qwen2",
    "transformers.models.qwen2.tokenization_qwen2",
    "transformers.models.qwen3.modeling_qwen3",
    "worker.trainer.answering",
    "worker.trainer.causal_encoder",
    "worker.trainer.causal_model",
    "worker.trainer.classifier",
    "worker.trainer.fit",
    "worker.trainer.main",
    "worker.trainer.text_encoder",
)


def preload() -> None:
    """Raises ImportError when the environment is incomplete."""
    from worker.recipes.registry import recipes

    for name in _MODULES:
        importlib.import_module(name)
    recipes()
    from transformers import (  # the lazy package resolves these on first use
        AutoModelForCausalLM,
        AutoModelForMaskedLM,
        AutoModelForSequenceClassification,
        AutoTokenizer,
    )

    del AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSequenceClassification, AutoTokenizer
