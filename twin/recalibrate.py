"""Recalibration: is the champion still true, and if not, is there a better twin? One run, no matter when.

The same data and the same champion give the same answer, and the second run does nothing. All that lasts is
written in one transaction at the end: a run that is killed before leaves everything as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.model import Metagraph
from twin.challengers import Way, built, ways
from twin.drift import DriftReport
from twin.gate import FEWEST_CASES, Gate, held_out, judge
from twin.progress import Progress
from twin.recalibration import MEANINGS, Verdict
from twin.sanity import Check, sanity

if TYPE_CHECKING:
    from twin.build import BuildRequest
    from twin.source import LogRequest, LogSource


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to recalibrate, and how."""

    twin: str
    """The name under which the database keeps it; its champion is meant."""
    log: LogRequest
    config: Path | None = None
    """A twin.toml: all choices are made again as it says."""
    always: bool = False
    """Build a challenger even where nothing drifted."""
    promote: bool = False
    """Let a better challenger become champion; else ask."""
    seed: int | None = None
    who: str = ""

    @property
    def asked(self) -> str:
        """What else than the data and the champion decides what comes out."""
        told = self.config.read_text(encoding="utf-8") if self.config else ""
        return f"always={self.always} promote={self.promote} seed={self.seed} config={told}"


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenger, what the gate said of each way to build one, and whether it is fit."""

    model: Metagraph
    gates: tuple[Gate, ...]
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether it may replace the champion."""
        return self.gates[0].passed and all(check.passed for check in self.checks)


def challenge(
    model: Metagraph,
    source: LogSource,
    drift: DriftReport,
    request: BuildRequest,
    *,
    anew: bool,
    progress: Progress,
) -> Challenge | None:
    """Build challengers on what was known before the newest part, judge them on it, and fit the best one to
    all of the log; None if too few orders have ended since the champion was learnt."""
    from eventlogs.split import known_at

    snapshot = source.snapshot
    begin_s = held_out(snapshot, drift.since)
    if begin_s is None:
        return None
    before = replace(source, snapshot=known_at(snapshot, begin_s))
    tried = list(ways(source, begin_s, drift, anew=anew))
    judged: list[tuple[Gate, Way, Metagraph]] = []
    for i, way in enumerate(tried):
        part = progress.part(0.8 * i / len(tried), 0.8 * (i + 1) / len(tried))
        rival = built(model, before, way, request, part.part(0.0, 0.6))
        gate = judge(
            model, rival, snapshot, begin_s, name=way.name, seed=request.seed, progress=part.part(0.6, 1.0)
        )
        judged.append((gate, way, rival))
    judged.sort(key=lambda one: (not one[0].passed, -one[0].overall.gain))
    _, way, rival = judged[0]
    # What was chosen anew was chosen without the newest part; its parameters may know all of the log.
    last = Way(way.name) if way.anew else way
    whole = built(rival if way.anew else model, source, last, request, progress.part(0.8, 0.9))
    progress.step("checking the challenger", 0.9)
    return Challenge(whole, tuple(gate for gate, _, _ in judged), sanity(whole, snapshot, seed=request.seed))


def request_for(model: Metagraph, wanted: Wanted) -> BuildRequest:
    """How to build anew: as the configuration says, or as the champion was asked for."""
    from twin.build import BuildRequest, request_of
    from twin.build_record import overrides_of, record_of, settings_of

    if wanted.config:
        return replace(request_of(wanted.config, wanted.twin, wanted.seed), name=model.name)
    record = record_of(model)
    known = model.provenance
    seed = known.seed if known and wanted.seed is None else wanted.seed or 0
    return BuildRequest(
        model.name,
        settings_of(record.asked, model.name),
        record.noises,
        overrides_of(record, model.name),
        model.approvals,
        seed,
    )


def decided(wanted: Wanted, drift: DriftReport, found: Challenge | None) -> tuple[Verdict, str]:
    """The verdict and its reason as a sentence."""
    if found is None:
        told = f"{drift.cases} orders began since {drift.since:%Y-%m-%d}, and at least {FEWEST_CASES} of the "
        return "too early", f"{MEANINGS['too early']}: {told}newest must have ended"
    failed = [check for check in found.checks if not check.passed]
    if failed:
        return (
            "rejected",
            f"the challenger isn't fit to be used: {'; '.join(check.words for check in failed)}",
        )
    if not found.gates[0].passed:
        return "rejected", found.gates[0].reason
    return ("promoted" if wanted.promote else "asks"), found.gates[0].reason
