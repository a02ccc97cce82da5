"""The peer of `submit to first step`: a plain HF Trainer script, which ends after its first optimizer step."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.training_throughput import texts


def main(folder: Path) -> None:
    """Import, load, tokenise, take one step."""
    from datasets import Dataset
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        DataCollatorForLanguageModeling,
        Trainer,
        TrainingArguments,
    )

    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    model = AutoModelForCausalLM.from_pretrained(folder / "model")
    data = Dataset.from_dict({"text": texts(folder / "train.jsonl")})
    data = data.map(lambda batch: tokenizer(batch["text"]), batched=True, remove_columns=["text"])
    arguments = TrainingArguments(
        output_dir=str(folder / "hf-first"), per_device_train_batch_size=8, max_steps=1, use_cpu=True, report_to=[],
        save_strategy="no", disable_tqdm=True, dataloader_pin_memory=False,
    )  # fmt: skip
    collator = DataCollatorForLanguageModeling(tokenizer, mlm=False)
    Trainer(model=model, args=arguments, train_dataset=data, data_collator=collator).train()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
