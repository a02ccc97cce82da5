"""Dataset formats: one file per format. Dataset-svc validates and previews with them, the trainer trains with them."""
