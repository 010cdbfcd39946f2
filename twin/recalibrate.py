"""Recalibration: is the champion still true, and if not, is there a better twin? One run, no matter when.

The same data and the same champion give the same answer, and the second run does nothing. All that lasts is
written in one transaction at the end: a run that is killed before leaves everything as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.errors import UsageError
from metagraph.model import Metagraph
from twin.challengers import Way, built, ways
from twin.drift import DriftReport, watch
from twin.gate import FEWEST_CASES, Gate, held_out, judge
from twin.progress import Progress
from twin.recalibration import MEANINGS, Recalibration, Verdict
from twin.recalibrations import told
from twin.sanity import Check, sanity

if TYPE_CHECKING:
    from eventlogs.keeping.models import ModelInfo
    from eventlogs.keeping.recalibrations import Look, RecalibrationInfo
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
    """Build and judge a challenger even where nothing drifted, or where the same was looked at before."""
    anew: bool = False
    """Where challengers are built, also build one with all choices made again, however small the change."""
    promote: bool = False
    """Let a better challenger become champion; else ask."""
    seed: int | None = None
    who: str = ""

    @property
    def asked(self) -> str:
        """What else than the data and the champion decides what comes out."""
        told = self.config.read_text(encoding="utf-8") if self.config else ""
        return f"always={self.always} anew={self.anew} promote={self.promote} seed={self.seed} config={told}"


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


@dataclass(frozen=True, slots=True)
class _Begun:
    """The champion, the log, and what is known of earlier runs; the database is let go meanwhile."""

    model: Metagraph
    version: int
    source: LogSource
    look: Look
    same: Recalibration | None
    """What an earlier run found that looked at the same."""
    earlier: tuple[Recalibration, ...]
    """Runs that looked at this champion with less of the log."""

    @property
    def as_of(self) -> datetime:
        snapshot = self.source.snapshot
        return snapshot.origin + timedelta(seconds=snapshot.until_s)

    def watched(self) -> DriftReport:
        """What has changed since the champion was learnt."""
        last = max((run.as_of for run in self.earlier), default=None)
        found = {
            (one.kind, one.what) for run in self.earlier if run.drift is not None for one in run.drift.found
        }
        return watch(self.model, self.source.snapshot, last, found)


def recalibrate(wanted: Wanted, progress: Progress) -> Recalibration:
    """Look for drift, build and judge a challenger where there is some, and promote, ask or reject.

    Raises UsageError for a twin that isn't kept by name, DataError for a log of another process or one
    that doesn't go on from what the champion was learnt from, or if another version became champion
    meanwhile.
    """
    begun = _begin(wanted, progress.part(0.0, 0.1))
    if begun.same is not None and not wanted.always:
        return begun.same
    source, known = begun.source, begun.model.provenance
    result = Recalibration(wanted.twin, begun.version, source.snapshot.name, begun.as_of, "nothing new", "")
    if known is not None and begun.as_of <= known.until:
        ends, knows = f"{begun.as_of:%Y-%m-%d %H:%M} UTC", f"{known.until:%Y-%m-%d %H:%M} UTC"
        told = (
            f"both end {ends}"
            if ends == knows
            else f"it ends {ends}, and the champion was learnt up to {knows}"
        )
        words = f"{MEANINGS['nothing new']}: {told}"
        return replace(result, words=words)
    progress.step("looking for drift", 0.1)
    drift = begun.watched()
    result = replace(result, drift=drift)
    if not drift.found and not wanted.always and wanted.config is None:
        words = f"{MEANINGS['no drift']} ({drift.tests} tests on {drift.cases} orders)"
        return _kept(wanted, begun, replace(result, verdict="no drift", words=words), None)
    request = request_for(begun.model, wanted)
    anew = wanted.anew or wanted.config is not None
    found = challenge(begun.model, source, drift, request, anew=anew, progress=progress.part(0.15, 1.0))
    verdict, words = decided(wanted, drift, found)
    gates, checks = (found.gates, found.checks) if found else ((), ())
    return _kept(
        wanted, begun, replace(result, verdict=verdict, words=words, gates=gates, checks=checks), found
    )


def recalibrate_command(wanted: Wanted, report: Path | None, progress: Progress) -> Recalibration:
    """As `recalibrate`, with a report where one was asked for."""
    from twin.recalibration_report import check_report, write_report

    check_report(report)
    result = recalibrate(wanted, progress)
    if report:
        write_report(report, result)
    return result


def _begin(wanted: Wanted, progress: Progress) -> _Begun:
    from eventlogs.keeping.recalibrations import Look
    from eventlogs.owner.opening import open_historian
    from metagraph.json_io import from_json
    from twin.renames import closing_in_log_words, unshared
    from twin.source import read_log

    if "@" in wanted.twin or wanted.twin.endswith(".json"):
        raise UsageError(
            f"{wanted.twin}: recalibration needs the name under which the database keeps a twin, and takes "
            "its champion; give the name alone (tracetwin models list shows those that there are)"
        )
    with open_historian(wanted.log.db, read_only=True, on_wait=lambda text: progress.step(text, 0.0)) as kept:
        version = kept.find_model(wanted.twin).version
        model = from_json(kept.load_model(f"{wanted.twin}@{version}"), wanted.twin)
    source = read_log(replace(wanted.log, closing=closing_in_log_words(model)), progress.step)
    unshared(model, source.snapshot)
    look = Look(wanted.twin, version, source.snapshot.content_hash, wanted.asked)
    end = source.snapshot.origin + timedelta(seconds=source.snapshot.until_s)
    with open_historian(wanted.log.db, read_only=True) as kept:
        info = kept.recalibration_of(look)
        runs = [one for one in kept.recalibrations(wanted.twin) if one.look.champion == version]
        versions = {one.version: one for one in kept.list_models() if one.name == wanted.twin}
    earlier = tuple(told(one) for one in runs if one.as_of < end)
    same = None if info is None else _again(info, versions.get(info.challenger or 0))
    return _Begun(model, version, source, look, same, earlier)


def _again(info: RecalibrationInfo, challenger: ModelInfo | None) -> Recalibration:
    """What an earlier run found that looked at the same, and what became of its challenger since."""
    before = told(info)
    words = f"the same was looked at on {info.made_at:%Y-%m-%d %H:%M} UTC, and came to this: {before.words}"
    if before.verdict == "asks" and challenger is not None and challenger.state != "challenger":
        why = f": {challenger.why}" if challenger.why else ""
        words += f"; {challenger.reference} is {challenger.state} since {challenger.since:%Y-%m-%d}{why}"
        before = replace(before, verdict="nothing new")
    return replace(before, words=words, again=True)


def _kept(wanted: Wanted, begun: _Begun, result: Recalibration, found: Challenge | None) -> Recalibration:
    """Enter the run and what follows from it, in one transaction."""
    from eventlogs.keeping.recalibrations import Learnt, NewModel
    from eventlogs.owner.opening import open_historian
    from metagraph.json_io import to_json
    from twin.json_out import dump

    new, learnt = None, None
    if found is not None and result.verdict != "rejected":
        notes = f"recalibrated from {begun.source.snapshot.name}: {found.gates[0].challenger}"
        new = NewModel(to_json(found.model), notes, result.verdict == "promoted")
        learnt = Learnt(begun.source.snapshot, begun.source.report, begun.source.open_rule)
    with open_historian(wanted.log.db) as historian:
        info = historian.keep_recalibration(
            begun.look, result.as_of, result.verdict, dump(result), new, learnt, wanted.who
        )
    return replace(result, challenger=info.challenger)


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
        told = f"{drift.cases} orders began since {drift.since:%Y-%m-%d}; {2 * FEWEST_CASES} must have, and "
        enough = drift.cases >= 2 * FEWEST_CASES
        return (
            "too early",
            f"{MEANINGS['too early']}: {told}{FEWEST_CASES} of their newer half must have ended"
            f"{', which fewer have' if enough else ''}; ask again later",
        )
    failed = [check for check in found.checks if not check.passed]
    if failed:
        return (
            "rejected",
            f"the challenger isn't fit to be used: {'; '.join(check.words for check in failed)}",
        )
    if not found.gates[0].passed:
        return "rejected", found.gates[0].reason
    return ("promoted" if wanted.promote else "asks"), found.gates[0].reason
