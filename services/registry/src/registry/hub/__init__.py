"""The registry as a Hub: repositories, commits and refs, in the language of huggingface_hub."""
