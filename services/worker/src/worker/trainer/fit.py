"""From a session and a recipe's material to a trained model folder, or to a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kargah.contracts.runs import ProgressMessage
from worker.trainer import checkpoint, identity, rng, token_cache
from worker.trainer.checkpoint_writer import CheckpointWriter
from worker.trainer.choose_layout import choose_layout, describe_layout
from worker.trainer.context import Outcome
from worker.trainer.device import token_budget
from worker.trainer.errors import Interruption, TrainingError
from worker.trainer.learner import Learner, bare, parameters
from worker.trainer.loop import Loop, Parts
from worker.trainer.material import Material, Sample
from worker.trainer.optimizer import make_optimizer
from worker.trainer.output import write_output
from worker.trainer.pace import Pace
from worker.trainer.passes import Passes
from worker.trainer.placement import common_rounds, place
from worker.trainer.plan import Plan
from worker.trainer.pulse import Pulse
from worker.trainer.ranks.sharding import reunite
from worker.trainer.rows import IntArray
from worker.trainer.samples import Samples
from worker.trainer.session import Session
from worker.trainer.state import RunState
from worker.trainer.token_store import TokenStore


def fit(session: Session, material: Material) -> Outcome:
    """Train to the end, to a stop, or to a pause; everything is told and handed over on the way.

    Raises TrainingError.
    """
    with session.team.lockstep():
        loop = _assemble(session, material)
        loop.parts.pulse.interruptible = True
        try:
            finished = loop.run()
            loop.measure()
            answers = loop.answer_samples()
        except Interruption as interruption:
            loop.save(interruption.action)
            loop.parts.writer.wait()
            session.team.disband()
            return "paused" if interruption.action == "pause" else "drained"
        if session.sharded:
            reunite(material.model, here=session.team.leads)
    session.team.disband()
    loop.parts.pulse.interruptible = False
    if session.team.leads:
        _hand_over(session, material, loop, answers)
    return "finished" if finished else "stopped"


def _hand_over(session: Session, material: Material, loop: Loop, answers: Sequence[Sample]) -> None:
    parts = loop.parts
    parts.context.phase("saving")
    parts.writer.settle()
    parts.context.log("Writing the model")
    parts.context.output(write_output(session, material, loop.state, answers))
    parts.context.progress(loop.progress().model_copy(update={"percent": 100.0, "eta_seconds": 0.0}))


def _assemble(session: Session, material: Material) -> Loop:
    """Everything the loop needs, resumed if there is a checkpoint to go on from."""
    context, params, device = session.context, session.params, session.device
    team = session.team
    pulse = Pulse(context, lambda: ProgressMessage(percent=0, note="preparing"))
    model = material.model
    if params.gradient_checkpointing:
        bare(model).activation_checkpointing_enable({"use_reentrant": False})
    learner = place(session, model, trains=True)
    layout = choose_layout(learner, material, device)
    budget = team.least(params.max_tokens_per_batch or token_budget(device, model, bare(model).config))
    with team.leader_first():
        store = open_store(session, material, pulse)
    train = store.items_of(session.split.train)
    if len(train) == 0:
        raise TrainingError("empty_dataset", "No row is left to train on.", "Add rows, or lower eval_fraction.")
    held_out = store.items_of(session.split.held_out[: params.eval_rows])
    parts = Parts(
        context=context,
        material=material,
        plan=Plan.of(params, len(train)),
        passes=Passes(learner, layout, device, budget, context, pulse.beat, common_rounds(session, material)),
        store=store,
        train=train,
        held_out=held_out,
        optimizer=make_optimizer(model, params.learning_rate, params.weight_decay),
        accelerator=device.accelerator,
        max_grad_norm=params.max_grad_norm,
        writer=CheckpointWriter(context, params.checkpoint_seconds),
        identity=identity.identity(session, context.spec.recipe),
        # Others than the held-out rows would show memory, not learning.
        samples=shown_rows(session, material, session.split.held_out),
        pulse=pulse,
        pace=Pace(),
        team=team,
        sharded=session.sharded,
    )
    _tell_start(session, learner, describe_layout(layout, learner), budget)
    loop = Loop(parts, _resume(session, parts) or RunState(budget=budget))
    if not session.sharded:
        team.copy_leader(checkpoint.trained_tensors(model).values())
    parts.passes.budget = loop.state.budget
    pulse.follow(loop.progress)
    pulse.watch(learner.layers())
    model.train()
    return loop


def open_store(session: Session, material: Material, pulse: Pulse) -> TokenStore:
    """The items of all rows, from the cache where they were made before."""
    spec = session.context.spec
    parts = [identity.dataset_hash(session), session.shape.name, material.encoder.identity]
    cache = token_cache.cache_path(Path(spec.cache_dir), parts)
    return TokenStore(session.rows, session.shape, material.encoder, cache, pulse.beat)


def shown_rows(session: Session, material: Material, rows: IntArray) -> Samples:
    """The first of `rows` as samples to be answered: by one process, where one has the whole model."""
    answers = session.team.leads or session.sharded
    chosen = rows[: session.params.sample_prompts if answers else 0]
    examples = [session.example(int(row)) for row in chosen] if material.samples is not None else []
    return Samples(session.context, examples, material.samples or (lambda _: []))


def _resume(session: Session, parts: Parts) -> RunState | None:
    if session.context.spec.resume_dir is None:
        return None
    restored = checkpoint.restore(
        Path(session.context.spec.resume_dir), parts.material.model, parts.optimizer, parts.identity
    )
    rng.restore(restored.random)
    if restored.changed_versions:
        parts.context.event("versions_changed", restored.changed_versions)
        parts.context.log(f"Resuming with other libraries: {restored.changed_versions}", "warning")
    parts.context.log(f"Resuming after step {restored.state.step} of {parts.plan.total}")
    parts.pace.evaluated(restored.state.evaluation_seconds)
    return restored.state


def _tell_start(session: Session, learner: Learner, layout: str, budget: int) -> None:
    trained, total = parameters(learner.model)
    device = session.device
    session.context.log(
        f"Training {trained:,} of {total:,} parameters on {_where(session)} in {device.precision}: {layout}, "
        f"at most {budget} tokens at a time"
    )


def _where(session: Session) -> str:
    size = session.team.size
    return str(session.device.torch) if size == 1 else f"{size} x {session.device.torch.type}"
