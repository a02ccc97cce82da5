"""A Llama of some ten thousand parameters with a tokenizer of its own: real code, random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CONTEXT = 512
_TEXTS = ["سلام! حالِ شما چطور است؟", "Hello, how are you?", "خیلی ممنون، خوبم. 🙂", "What is the capital of France?"]
_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_llama(folder: Path, *, seed: int = 0, template: bool = True) -> Path:
    """Write one to `folder`. Without a template the tokenizer does not know the ends of turns either."""
    marks = ["<|im_start|>", "<|im_end|>"] if template else []
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    specials = ["<pad>", "</s>", *marks]
    bpe.train_from_iterator(
        _TEXTS, trainers.BpeTrainer(vocab_size=320, special_tokens=specials, initial_alphabet=alphabet)
    )
    eos = "<|im_end|>" if template else "</s>"
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, pad_token="<pad>", eos_token=eos)
    tokenizer.model_max_length = CONTEXT
    if template:
        tokenizer.chat_template = _TEMPLATE
    tokenizer.save_pretrained(folder)
    _model(len(tokenizer), tokenizer.eos_token_id, seed).save_pretrained(folder)
    return folder


def _model(vocabulary: int, eos: int, seed: int) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=CONTEXT,
        bos_token_id=None,
        eos_token_id=eos,
        pad_token_id=0,
        initializer_range=0.4,
    )
    return LlamaForCausalLM(config)
