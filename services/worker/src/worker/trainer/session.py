"""What every recipe starts from: the device, the rows, and which of them are held out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from kargah.domain.kinds import KINDS
from kargah.formats.base import Example, Format
from kargah.formats.registry import format_named
from worker.recipes.params import CommonParams
from worker.trainer import rng
from worker.trainer.context import RunContext
from worker.trainer.device import Device, open_device
from worker.trainer.errors import TrainingError
from worker.trainer.given_splits import GivenSplits
from worker.trainer.ranks.nodes import local_ranks
from worker.trainer.ranks.team import Team
from worker.trainer.reading import tokenizer_folder
from worker.trainer.rows import RowFile, Split, all_held_out, split_rows


@dataclass(frozen=True)
class Session:
    """The inputs of a run, opened. `model_dir` is the model's folder; `base_dir` its base's when it is an adapter.
    `team` are the processes that share the run."""

    context: RunContext
    params: CommonParams
    device: Device
    rows: RowFile
    shape: Format
    split: Split
    model_dir: Path
    base_dir: Path | None
    team: Team = field(default_factory=Team)

    @property
    def base_name(self) -> str:
        """The base model's name as the platform knows it."""
        return str(self.context.spec.facts.get("base_model") or self.model_dir.name)

    @property
    def tokenizer_dir(self) -> Path:
        return tokenizer_folder(self.model_dir, self.base_dir)

    @property
    def sharded(self) -> bool:
        """Whether the model is divided among the processes; a single one has all of it."""
        return self.params.sharding == "full" and self.team.size > 1

    @property
    def trains(self) -> bool:
        """Whether the run trains; if not, it measures, and every row is held out."""
        return KINDS[self.context.spec.kind].trains

    def example(self, row: int) -> Example:
        return self.rows.example(row, self.shape)


def open_session(context: RunContext, params: CommonParams) -> Session:
    """Raises TrainingError when an input is absent or the device cannot do what is asked."""
    spec = context.spec
    if spec.model_dir is None or spec.dataset_path is None or spec.dataset_format is None:
        raise TrainingError(
            "bad_spec", "A training or an evaluation needs a model and a dataset.", "Submit the job with both."
        )
    device = open_device(params.precision, spec.threads, deterministic=params.deterministic, sharers=local_ranks(spec))
    team = Team.gather_up(context, gpu=device.is_gpu)
    rng.seed_all(params.seed)
    rows = RowFile(Path(spec.dataset_path))
    split = _split(context, params, rows)
    context.log(f"{len(rows)} rows: {len(split.train)} to train on, {len(split.held_out)} held out")
    base_dir = Path(spec.base_dir) if spec.base_dir is not None else None
    return Session(
        context, params, device, rows, format_named(spec.dataset_format), split, Path(spec.model_dir), base_dir, team
    )


def _split(context: RunContext, params: CommonParams, rows: RowFile) -> Split:
    """The version's own splits where it has any; else by content and seed, or everything to be measured."""
    spec = context.spec
    trains = KINDS[spec.kind].trains
    if spec.splits_path is None:
        return split_rows(rows, params.eval_fraction, params.seed) if trains else all_held_out(rows)
    given = GivenSplits(rows, Path(spec.splits_path), spec.split_names)
    context.log(f"The dataset version brings its splits: {given.told()}; eval_fraction is not used")
    return given.for_training() if trains else given.for_measuring(all_held_out(rows))
