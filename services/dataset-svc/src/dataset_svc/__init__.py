"""The dataset service: owns datasets and their immutable versions."""
