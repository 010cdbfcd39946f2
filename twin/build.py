"""Build: a log becomes a calibrated metagraph that says where everything in it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.model import Approval, BuildRecord, Choice, ClosingFact, Default, Metagraph, Provenance
from twin.progress import Progress
from twin.select import Selection, select
from twin.source import LogSource
from twin.structures import Recipe, structure_of

if TYPE_CHECKING:
    from calibration.overrides import OverrideSpec
    from calibration.settings import Settings
    from discovery.conformance import Conformance
    from discovery.replayed import Replayed
    from eventlogs.snapshot import Snapshot

NOISES = (0.0, 0.2, 0.4)


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build and how."""

    name: str
    settings: Settings
    noises: Sequence[float] = NOISES
    overrides: Sequence[OverrideSpec] = ()
    approvals: Sequence[Approval] = ()
    seed: int = 0


def request_of(config: Path | None, name: str, seed: int | None) -> BuildRequest:
    """What a twin.toml asks for; without one the defaults. A given seed wins over the file's."""
    from calibration.settings import Settings
    from twin.config import approvals, load_config, override_specs, settings

    if config is None:
        return BuildRequest(name, Settings(), seed=seed or 0)
    known = load_config(config)
    return BuildRequest(
        name,
        settings(known),
        known.build.noises,
        override_specs(known.overrides),
        approvals(known),
        known.build.seed if seed is None else seed,
    )


def build(source: LogSource, request: BuildRequest, progress: Progress | None = None) -> Metagraph:
    """Choose a model by simulating the last part of the log, then fit it to the whole log.

    The same log, request and seed give the same twin. Raises DataError if the log holds too little.
    """
    from discovery.miners import load as load_miners

    progress = progress or Progress()
    load_miners()
    snapshot = source.snapshot
    settings = with_mapped_columns(request.settings, source)
    selection = select(snapshot, settings, request.noises, request.seed, progress.part(0.0, 0.8))
    progress.step("fitting the whole log", 0.8)
    told = Told(
        name=request.name,
        facts={"import": " ".join(source.report.sentences()), "open orders": source.open_rule},
        closing=source.closing,
        choices=selection.choices,
        record=_record(selection, settings, request, snapshot),
        overrides=request.overrides,
        approvals=tuple(request.approvals),
    )
    model = fit_as_told(snapshot, selection.recipe, selection.settings, request.seed, told)
    progress.step("done", 1.0)
    return model


@dataclass(frozen=True, slots=True)
class Told:
    """What a twin holds besides what is fitted to its log."""

    name: str
    facts: Mapping[str, str]
    """Of the import and of open orders, in words."""
    closing: ClosingFact | None
    """In the log's words."""
    choices: tuple[Choice, ...]
    record: BuildRecord
    overrides: Sequence[OverrideSpec]
    approvals: tuple[Approval, ...]


def fit_as_told(snapshot: Snapshot, recipe: Recipe, settings: Settings, seed: int, told: Told) -> Metagraph:
    """The twin of this recipe, calibrated so on the whole log, with what was told: nothing is chosen.

    Raises DataError for an override of what isn't in the log.
    """
    from calibration.overrides import apply_overrides
    from calibration.rules_override import observed_in
    from metagraph.validate import check

    model, replayed = refitted(snapshot, recipe, settings, seed)
    model = replace(
        model,
        name=told.name,
        closing=told.closing,
        provenance=_provenance(model, snapshot, told),
        approvals=told.approvals,
    )
    observed = observed_in(snapshot, replayed, settings.orders, model)
    model = apply_overrides(model, told.overrides, observed)
    check(model, told.name)
    return model


def _record(selection: Selection, asked: Settings, request: BuildRequest, snapshot: Snapshot) -> BuildRecord:
    from twin.build_record import plain_overrides, plain_values

    return BuildRecord(
        recipe=plain_values(selection.recipe),
        settings=plain_values(selection.settings),
        asked=plain_values(asked),
        noises=tuple(float(noise) for noise in request.noises),
        overrides=plain_overrides(request.overrides),
        selected_on=snapshot.content_hash,
        selected_until=snapshot.origin + timedelta(seconds=snapshot.until_s),
        selection_seed=request.seed,
        window_since=selection.since,
    )


def with_mapped_columns(settings: Settings, source: LogSource) -> Settings:
    """The settings with the columns that the import mapped for orders, where twin.toml says nothing."""
    orders = settings.orders
    mapped = {
        role: column for role, column in source.report.mapping.items() if column in source.snapshot.attributes
    }
    due_told = any(p.due_working_days is not None or p.due_after_s is not None for p in orders.promises)
    value_told = any(p.value is not None for p in orders.promises)
    return replace(
        settings,
        orders=replace(
            orders,
            class_column=orders.class_column or (None if orders.class_rules else mapped.get("class")),
            segment_column=orders.segment_column or (None if orders.segment_rules else mapped.get("segment")),
            due_column=orders.due_column or (None if due_told else mapped.get("due")),
            value_column=orders.value_column or (None if value_told else mapped.get("value")),
        ),
    )


def fitted(snapshot: Snapshot, recipe: Recipe, settings: Settings, seed: int) -> Metagraph:
    """The model of this recipe, calibrated in this way on the whole log: nothing is chosen. What the replay
    found is among its facts."""
    return refitted(snapshot, recipe, settings, seed)[0]


def refitted(snapshot: Snapshot, recipe: Recipe, settings: Settings, seed: int) -> tuple[Metagraph, Replayed]:
    """As `fitted`, and the replay of the log."""
    from calibration.calibrate import calibrate
    from discovery.conformance import conform, in_words
    from discovery.replay_log import replay_log
    from eventlogs.split import closed_cases

    structure = structure_of(closed_cases(snapshot), recipe)
    replayed = replay_log(snapshot, structure.skeleton.block)
    model = calibrate(snapshot, structure.skeleton, replayed, settings, name=snapshot.name, seed=seed)
    known = model.provenance
    if known is None:
        raise ValueError("the calibration left no provenance")
    conformance = conform(snapshot, structure.skeleton, replayed)
    defaults = [*known.defaults, *_without_place(conformance)]
    if structure.recipe != recipe:
        what = "blocks that nest: in the whole log the miner found gateways that cross"
        defaults.append(Default(f"structure of the {recipe.name}", what, structure.recipe.name))
    if structure.note:
        defaults.append(Default("structure", structure.note, "what was found within those bounds"))
    facts = {**known.facts, **in_words(conformance)}
    return replace(model, provenance=replace(known, facts=facts, defaults=tuple(defaults))), replayed


def _without_place(found: Conformance) -> list[Default]:
    """The log's activities that the structure has no task for."""
    return [
        Default(
            f"activity {one.activity}",
            "a place in the structure" + (": it occurs only in open cases" if one.only_open else ""),
            "it is never simulated",
        )
        for one in found.homeless
    ]


def _provenance(model: Metagraph, snapshot: Snapshot, told: Told) -> Provenance:
    """The calibration's own provenance, with what import and selection add."""
    from importlib.metadata import version

    known = model.provenance
    if known is None:
        raise ValueError("the calibration left no provenance")
    defaults = list(known.defaults)
    if snapshot.single_timestamp:
        defaults.append(
            Default(
                "the whole log",
                "start times: the log has one timestamp per event",
                "work takes no time and all of the time between events is waiting: utilisation, busy agents "
                "and durations can't be told from it",
            )
        )
    return replace(
        known,
        choices=told.choices,
        defaults=tuple(defaults),
        facts={**known.facts, **told.facts},
        libraries={**known.libraries, **{name: version(name) for name in ("duckdb", "simpy")}},
        record=told.record,
    )
