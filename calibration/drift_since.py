"""Has the process changed since a twin was learnt? Named tests, with the chance of a false alarm in hand.

Looked at are arrivals, routing, durations, waits, structure and agents. Each kind may raise a false alarm
with a sixth of the chance that is allowed, divided among its tests after Holm; so any at all is raised with
the allowed chance at most, however many activities there are (Bonferroni over kinds, Holm within).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calibration.drift_streams import DAY_S, FEWEST, KINDS, Kind, Stream, Watched, streams
from calibration.drift_tests import Tested, begun_s, compare, exact, holm
from eventlogs.bounds import case_bounds

if TYPE_CHECKING:
    from discovery.replayed import Replayed

FEWEST_CASES = 20
"""In the newest part that is compared."""
HALVINGS = 4
"""All of the new part, its last half, quarter, eighth and sixteenth are compared, so that what began lately
isn't hidden by what went before."""
NOTABLE = {"arrivals": 0.1, "durations": 0.1, "waits": 0.1, "routing": 0.05, "structure": 0.01}
"""Smaller changes aren't told: relative ones of rates and times, of shares absolute ones."""
GAP_TEST = "silence of an agent"
LONGER = 1.5
"""An agent is gone if it is silent for so many times its longest silence before."""
LEAST_DAYS = 3.0
FEWEST_DAYS = 10
"""Days with stamps from which an agent's silences are known."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One test's outcome on one thing, over the part of the new time where it is clearest."""

    kind: Kind
    what: str
    way: int
    tested: Tested
    from_s: float
    """The newest part that was compared begins here."""
    begun_s: float
    """Since when it is so, as far as can be told."""
    p: float
    """Corrected for all tests of the look: below the allowed chance it is drift."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found."""

    findings: tuple[Finding, ...]
    """The clearest of each thing, the smallest corrected p first."""
    tests: int
    windows: tuple[float, ...]
    """Where the compared parts begin, seconds."""
    since_s: float
    until_s: float
    arrivals_until_s: float
    """Earlier, where no order began for so long that the log seems to be of those that began till then."""
    cases_before: int
    cases: int
    """That began since."""

    def drift(self, alpha: float) -> tuple[Finding, ...]:
        """Those that are drift if the chance of a false alarm may be `alpha`."""
        return tuple(one for one in self.findings if one.p <= alpha and notable(one))


def notable(one: Finding) -> bool:
    """Whether it is large enough to be told."""
    if one.kind == "agents":
        return True
    tested = one.tested
    if one.kind in ("routing", "structure"):
        return abs(tested.size) >= NOTABLE[one.kind]
    return max(tested.size, 1 / max(tested.size, 1e-9)) - 1 >= NOTABLE[one.kind]


def look(log: Watched, replayed: Replayed, labels: dict[str, str]) -> Looked:
    """Test everything that is watched; `replayed` is the log on the twin's structure, `labels` are its tasks'
    by id."""
    release, _ = case_bounds(log.snapshot)
    new = (release >= log.since_s) & (release <= log.until_s)
    old = (release >= log.from_s) & (release < log.since_s)
    windows = _windows(log, release[new])
    found: dict[Kind, list[Finding]] = {kind: [] for kind in KINDS}
    if windows:
        for stream in streams(log, replayed, labels):
            found[stream.kind] += _over(stream, log.since_s, windows)
        found["structure"] += _new_activities(log, set(labels.values()), windows)
        found["agents"] += _silent(log)
    findings = [one for kind in KINDS for one in _corrected(found[kind])]
    return Looked(
        findings=tuple(sorted(findings, key=lambda one: (one.p, KINDS.index(one.kind), one.what, one.way))),
        tests=sum(map(len, found.values())),
        windows=windows,
        since_s=log.since_s,
        until_s=log.until_s,
        arrivals_until_s=log.arrivals_until_s if len(release) else log.until_s,
        cases_before=int(old.sum()),
        cases=int(new.sum()),
    )


def _windows(log: Watched, release: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, ...]:
    """Where the parts of the new time begin that are compared, the longest first."""
    length = log.until_s - log.since_s
    found = []
    for halving in range(HALVINGS + 1):
        begin = log.until_s - length / 2**halving
        if log.until_s - begin >= DAY_S and (release >= begin).sum() >= FEWEST_CASES:
            found.append(begin)
    return tuple(found)


def _over(stream: Stream, since_s: float, windows: tuple[float, ...]) -> list[Finding]:
    found = []
    for begin in windows:
        tested = compare(stream, since_s, begin)
        if tested is not None:
            begun = begun_s(stream, since_s, begin)
            found.append(Finding(stream.kind, stream.what, stream.way, tested, begin, begun, tested.p))
    return found


def _corrected(found: list[Finding]) -> Iterator[Finding]:
    """Of each thing the part where it is clearest, with p corrected for the kind's tests and the kinds."""
    from dataclasses import replace

    if not found:
        return
    adjusted = np.minimum(holm(np.array([one.p for one in found])) * len(KINDS), 1.0)
    best: dict[tuple[str, int, str], Finding] = {}
    for one, p in zip(found, adjusted.tolist(), strict=True):
        key = (one.what, one.way, one.tested.test)
        if key not in best or one.p < best[key].tested.p:
            best[key] = replace(one, p=p)
    yield from best.values()


def _new_activities(log: Watched, known: set[str], windows: tuple[float, ...]) -> Iterator[Finding]:
    """Activities that the twin has no task for, and that were not (or hardly) there before."""
    snapshot = log.snapshot
    release, _ = case_bounds(snapshot)
    case = snapshot.case_of_row()
    before = (release >= log.from_s) & (release < log.since_s)
    if before.sum() < FEWEST:
        return
    for a, name in enumerate(snapshot.activities):
        if name in known:
            continue
        has = np.zeros(snapshot.n_cases, np.bool_)
        has[case[snapshot.activity == a]] = True
        for begin in windows:
            part = (release >= begin) & (release <= log.until_s)
            if has[part].any():
                tested = exact(
                    int(has[before].sum()), int(before.sum()), int(has[part].sum()), int(part.sum())
                )
                first = float(release[has & (release >= log.since_s)].min())
                yield Finding("structure", name, -1, tested, begin, first, tested.p)


def _silent(log: Watched) -> Iterator[Finding]:
    """Agents whose work stopped.

    Days count on which somebody else does what the agent does. An agent with stamps on a share s of them is
    silent for n of them with probability (1 - s)^n if its days come as at random; leave of a usual length is
    no sign of anything, so the silence must also be longer than any before.
    """
    snapshot = log.snapshot
    day = np.floor(np.fmax(snapshot.start_s, snapshot.end_s) / DAY_S)
    rows = log.rows() & (snapshot.start_s >= log.from_s) & (snapshot.start_s <= log.until_s)
    # Several people may bear one name: that of the agent who stands for them.
    for name in sorted(set(snapshot.resources)):
        codes = [r for r, other in enumerate(snapshot.resources) if other == name]
        mine = rows & np.isin(snapshot.resource, codes)
        if not mine.any():
            continue
        same = rows & ~mine & np.isin(snapshot.activity, np.unique(snapshot.activity[mine]))
        stamps, others = np.unique(day[mine]), np.unique(day[same])
        if len(stamps) < FEWEST_DAYS or stamps[0] * DAY_S >= log.since_s:
            continue
        # How many days of the others' lie between two of the agent's, and after its last.
        passed = np.searchsorted(others, stamps)
        gaps = np.diff(passed) - np.isin(stamps[:-1], others)
        last = float(stamps[-1])
        silence = float((others > last).sum())
        longest = max(float(gaps.max()), 1.0)
        gone_s = (last + 1) * DAY_S
        # Who went long before the twin was learnt is known to it.
        if gone_s < log.since_s and (others * DAY_S < log.since_s).sum() - passed[-1] > LONGER * longest:
            continue
        share = len(stamps) / len(np.union1d(stamps, others[others <= last]))
        alarming = silence >= LEAST_DAYS and silence > LONGER * longest
        p = float((1 - min(share, 0.99)) ** silence) if alarming else 1.0
        tested = Tested(GAP_TEST, p, longest, silence, silence, silence, silence, len(stamps), 0)
        yield Finding("agents", name, -1, tested, gone_s, gone_s, p)
