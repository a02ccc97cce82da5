"""What a model would be trained on: rows of a dataset through the trainer's own template, tokenizer and loss mask."""
