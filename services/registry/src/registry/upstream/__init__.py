"""The hub that models are installed from: searched and judged before anything is downloaded."""
