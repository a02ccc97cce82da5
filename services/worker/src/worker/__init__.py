"""The worker: an agent that claims and supervises, and a trainer that trains."""

from __future__ import annotations

from worker import model_index

model_index.install()
