"""Small models with a tokenizer of their own, made on the spot: real architectures, random weights."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertForMaskedLM, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

ROOT = Path(__file__).parents[2]
PERSIAN_QA = ROOT / "examples" / "persian-qa" / "persian_qa.jsonl"
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<|im_start|>", "<|im_end|>"]


def tiny_llama(folder: Path, *, hidden: int = 64, layers: int = 2) -> Path:
    """A Llama with about 0.2 M parameters by default, ready for `model install`."""
    tokenizer = _tokenizer(folder, eos="<|im_end|>")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=hidden * 3,
        num_hidden_layers=layers,
        num_attention_heads=max(2, hidden // 32),
        num_key_value_heads=max(2, hidden // 32),
        max_position_embeddings=512,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def tiny_bert(folder: Path) -> Path:
    """A BERT with about 0.1 M parameters."""
    tokenizer = _tokenizer(folder, eos="[SEP]")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=256,
        pad_token_id=tokenizer.pad_token_id,
    )
    BertForMaskedLM(config).save_pretrained(folder)
    return folder


def _tokenizer(folder: Path, *, eos: str) -> PreTrainedTokenizerFast:
    """A byte-level BPE of 1,000 entries, trained on the project's own Persian set."""
    bpe = Tokenizer(models.BPE(unk_token="[UNK]"))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1000, special_tokens=_SPECIAL, initial_alphabet=alphabet)
    rows = [json.loads(line) for line in PERSIAN_QA.read_text(encoding="utf-8").splitlines()]
    bpe.train_from_iterator((text for row in rows for text in (row["question"], row["answer"])), trainer)
    if eos == "[SEP]":
        pair = [(name, bpe.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
        bpe.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=pair)
    names = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token=eos, mask_token="[MASK]", model_max_length=256, **names
    )
    tokenizer.save_pretrained(folder)
    return tokenizer
