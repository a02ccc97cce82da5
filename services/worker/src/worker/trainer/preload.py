"""Imports everything a training needs, for a process that forks trainers: no thread, no CUDA."""

from __future__ import annotations

import importlib

_MODULES = (
    "torch",
    "torch.nn.attention.varlen",
    "accelerate",
    "peft",
    "peft.utils.transformers_weight_conversion",
    "tokenizers",
    "transformers.generation.utils",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
    "transformers.models.bert.modeling_bert",
    "transformers.models.bert.tokenization_bert",
    "transformers.models.llama.modeling_llama",
    "transformers.models.llama.tokenization_llama",
    "transformers.models.gpt2.tokenization_gpt2",
    "transformers.models.qwen2.modeling_qwen2",
    "transformers.models.qwen2.tokenization_qwen2",
    "transformers.models.qwen3.modeling_qwen3",
    "worker.kinds.evaluate",
    "worker.kinds.export",
    "worker.kinds.train",
    "worker.trainer.answering",
    "worker.trainer.causal_encoder",
    "worker.trainer.causal_model",
    "worker.trainer.classifier",
    "worker.trainer.fit",
    "worker.trainer.main",
    "worker.trainer.text_encoder",
)
_LAZY = ("AutoModelForCausalLM", "AutoModelForMaskedLM", "AutoModelForSequenceClassification", "AutoTokenizer")


def preload() -> None:
    """Raises ImportError when the environment is incomplete."""
    from kargah.formats.registry import formats
    from worker.recipes.registry import recipes

    for name in _MODULES:
        importlib.import_module(name)
    recipes()
    formats()
    transformers = importlib.import_module("transformers")
    for name in _LAZY:
        getattr(transformers, name)
    # Half a second of compiling patterns, that every load would otherwise begin with.
    importlib.import_module("transformers.conversion_mapping").get_checkpoint_conversion_mapping("llama")
