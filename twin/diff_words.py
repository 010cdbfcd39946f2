"""The differences of two twins in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from twin.diff import ALPHA, CONSEQUENCES, KINDS, SMALL, Compared, Difference
from twin.words import few, number, percent

TITLES = {
    "structure": "Structure",
    "routing": "Routing",
    "durations": "Working time",
    "delays": "Remaining delays before work",
    "arrivals": "Arrivals",
    "agents": "Agents",
    "calendars": "Working hours",
    "settings": "Settings",
    "overrides": "Set by hand",
    "shares": "Who does what, which also follows from load and hours",
    "waits": "Waiting in the logs, which follows from load, people and hours (medians of days)",
}
THE_SAME = "The two are the same."
MANY_TIMES = 4.0
"""Larger ratios are told as multiples."""
NOTHING = "Nothing that chance can't explain."


def headline(found: Compared) -> str:
    """What the comparison comes to."""
    if not found.differences:
        return THE_SAME
    parts = []
    if found.tests:
        real = [d for d in found.found("real") if d.kind not in CONSEQUENCES]
        parts.append(f"More than chance explains: {_named(real)}." if real else NOTHING)
        parts.append(
            f"{found.tests} tests, corrected together (Holm's method; any false finding in at most "
            f"{percent(ALPHA)} of such comparisons)."
        )
    if waits := [d for d in found.found("real", "small") if d.kind == "waits"]:
        parts.append(f"Orders wait for another time before {few([d.what for d in waits])}.")
    if small := [d for d in found.found("small") if d.kind not in CONSEQUENCES]:
        parts.append(f"{_many(small, 'more ')} certain, but smaller than {percent(SMALL)}.")
    if decided := found.found("decided"):
        parts.append(f"{_many(decided)} decided, not found in data.")
    if untested := found.found("untested"):
        parts.append(f"{_many(untested)} not tested.")
    return " ".join(parts)


def _many(some: Sequence[Difference], more: str = "") -> str:
    return f"{len(some)} {more}{'is' if len(some) == 1 else 'are'}"


def _named(real: Sequence[Difference]) -> str:
    return few(dict.fromkeys(f"{TITLES[d.kind].lower()} ({d.what})" for d in real), 6)


def told(found: Compared) -> Iterator[tuple[str, tuple[Difference, ...]]]:
    """Titles with the differences to tell under them: all but those that chance explains.

    What holds alike for several, without a test, is told once.
    """
    for kind in KINDS:
        some = [d for d in found.differences if d.kind == kind and d.verdict != "chance"]
        if some:
            yield TITLES[kind], tuple(_grouped(some))


def _grouped(some: Sequence[Difference]) -> Iterator[Difference]:
    alike: dict[tuple[object, ...], list[Difference]] = {}
    for one in some:
        key = (one.what,) if one.test else (one.told, one.verdict, one.note)
        alike.setdefault(key, []).append(one)
    for group in alike.values():
        yield replace(group[0], what=few([one.what for one in group]))


def sentence(one: Difference) -> str:
    """'Credit Check: 12 min → 15 min (+25 %, 95 % interval 18 to 33 %; test, p = …)'."""
    text = f"{one.what}: " if one.what else ""
    before, after = one.told
    text += f"{before} → {after}" if before else after
    inside = [part for part in (_change(one), _sureness(one), one.note) if part]
    return text + (f" ({'; '.join(inside)})" if inside else "")


def _change(one: Difference) -> str:
    """The size of the change, with its interval."""
    change = one.change
    if change is None or change.scale == "number":
        return ""
    if change.scale == "ratio" and change.size > MANY_TIMES:
        return f"{number(1 + change.size)} times"
    told = f"{_signed(100 * change.size)} {'%' if change.scale == 'ratio' else 'points'}"
    if change.low is not None and change.high is not None:
        told += f", 95 % interval {_signed(100 * change.low)} to {_signed(100 * change.high)}"
    return told


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{number(abs(value))}"


def _sureness(one: Difference) -> str:
    if one.test is None:
        return {"decided": "decided", "untested": "" if one.note else "not tested"}.get(one.verdict, "")
    p = "p < 0.0001" if one.test.adjusted < 1e-4 else f"p = {one.test.adjusted:.2g}"
    n = f"n = {one.test.n_before:,.0f} and {one.test.n_after:,.0f}"
    return f"{one.test.name}, corrected {p}, {n}"
