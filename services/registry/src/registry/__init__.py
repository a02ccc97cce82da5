"""The registry: owns models and their immutable versions."""
