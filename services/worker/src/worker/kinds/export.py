"""Kind `export`: an adapter merged into its base, as a model folder that needs no other."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import torch

from kargah.contracts.runs import OutputMessage
from worker.kinds.export_gguf import export_gguf
from worker.trainer.artifacts import disk_errors, settle
from worker.trainer.causal_model import open_adapter
from worker.trainer.context import Outcome, RunContext
from worker.trainer.context_reporter import ContextReporter
from worker.trainer.errors import TrainingError
from worker.trainer.export_card import export_card
from worker.trainer.export_check import Check
from worker.trainer.models import cast_weights, load_model, load_tokenizer, quieten, stored_dtype
from worker.trainer.output import template_of
from worker.trainer.scrub import scrub


def run(context: RunContext) -> Outcome:
    """As GGUF where the parameters ask for it (`export_gguf`), else: merge, write, read back, compare, and let it
    speak: only then is it handed over.

    Raises TrainingError, Interruption, OSError when there is no room.
    """
    if context.spec.params.get("format") == "gguf":
        return export_gguf(context)
    base, adapter = _folders(context)
    context.phase("preparing")
    quieten()
    reporter = ContextReporter(context)
    folder = Path(context.spec.work_dir) / "output"
    tokenizer = load_tokenizer(adapter if (adapter / "tokenizer_config.json").is_file() else base)
    check = Check(tokenizer, context.spec.threads)
    reporter.progress(5, "opening the base and its adapter")
    _write_merged(base, adapter, folder, check, reporter)
    tokenizer.save_pretrained(folder)
    scrub(folder, {base: _name(context), adapter: _name(context)})
    reporter.progress(75, "reading back what was written")
    metrics = check.found(_open(folder))
    reporter.log(f"Read back: differs by {metrics['difference']:.2g} at most, and says {metrics['sample']!r}")
    (folder / "README.md").write_text(export_card(context.spec.facts, metrics), encoding="utf-8")
    context.phase("saving")
    reporter.progress(95, "hashing")
    lineage = template_of(tokenizer)
    context.output(OutputMessage(directory=str(folder), files=settle(folder), metrics=metrics, lineage=lineage))
    return "finished"


def _folders(context: RunContext) -> tuple[Path, Path]:
    spec = context.spec
    if spec.model_dir is None or spec.base_dir is None:
        raise TrainingError("bad_spec", "An export needs an adapter and its base.", "Submit the job with an adapter.")
    return Path(spec.base_dir), Path(spec.model_dir)


def _name(context: RunContext) -> str:
    return str(context.spec.facts.get("output_model") or context.spec.job_id)


def _write_merged(base: Path, adapter: Path, folder: Path, check: Check, reporter: ContextReporter) -> None:
    """Merged in float32, where nothing is lost, and written in the type that the base is stored in, which rounds once.
    The model is gone from memory afterwards, for there may be no room for two of them."""
    adapted = open_adapter(_open(base, torch.float32), adapter)
    check.expect(adapted)
    reporter.progress(40, "merging")
    merged = adapted.merge_and_unload(safe_merge=True)
    check.same(merged, "The merged model differs from the adapter on its base")
    cast_weights(merged, stored_dtype(base))
    reporter.log(
        f"Stored in {stored_dtype(base)}: that rounds the logits by {check.difference(merged):.2g} of their spread"
    )
    check.expect(merged)
    reporter.progress(50, "writing")
    with disk_errors():
        merged.save_pretrained(folder, safe_serialization=True)
    del adapted, merged
    gc.collect()


def _open(folder: Path, dtype: torch.dtype | None = None) -> Any:
    from transformers import AutoModelForCausalLM

    return load_model(AutoModelForCausalLM, folder, dtype or stored_dtype(folder)).eval()
