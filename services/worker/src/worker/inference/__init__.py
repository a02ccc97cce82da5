"""Talk to installed and fine-tuned models, as OpenAI's clients do."""
