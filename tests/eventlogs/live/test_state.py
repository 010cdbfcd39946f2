"""The state of a log equals what an obvious reading of its raw events gives."""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.closing import ClosingRule
from eventlogs.historian import Historian
from eventlogs.live.inbox import RawEvent
from eventlogs.live.state import LogState, state_at
from metagraph.errors import DataError, UsageError
from tests.eventlogs.live.feeding import MUCH_LATER_US, Clock, event, feed, live
from tests.eventlogs.logs import T0, stamp

RULE = ClosingRule({"C": 1.0}, idle_s=8.0, idle_after_s={"B": 4.0}, endings={("A", "C"): 0.0})
_MINUTE_US = 60_000_000


@dataclass(frozen=True)
class Told:
    """What one event says."""

    number: int
    case: str
    activity: str
    second: int
    kind: str
    """start, complete, eta or attribute."""
    value: int
    corrects: int | None


@st.composite
def told(draw: st.DrawFn) -> list[Told]:
    kinds = st.sampled_from(["start", "complete", "start", "complete", "eta", "attribute"])
    found = []
    corrected: set[int] = set()
    for number in range(draw(st.integers(1, 14))):
        corrects = draw(st.none() | st.none() | st.integers(0, 14))
        corrects = None if corrects in corrected or corrects == number else corrects
        corrected |= set() if corrects is None else {corrects}
        found.append(
            Told(
                number, draw(st.sampled_from("12")), draw(st.sampled_from("ABC")), draw(st.integers(0, 20)),
                draw(kinds), draw(st.integers(0, 9)), corrects,
            )
        )  # fmt: skip
    return found


def as_event(one: Told) -> RawEvent:
    by_kind: dict[str, dict[str, Any]] = {
        "start": {"activity": one.activity, "lifecycle": "start"},
        "complete": {"activity": one.activity, "lifecycle": "complete"},
        "eta": {"activity": one.activity, "eta": stamp(1000 + one.value)},
        "attribute": {"attributes": {"case:value": one.value}},
    }
    own = by_kind[one.kind]
    corrects = {} if one.corrects is None else {"corrects": str(one.corrects)}
    return event(one.number, one.second, case=one.case, sequence=one.number, **own, **corrects)


def naive_work(events: Iterable[Told]) -> dict[str, list[tuple[str, int, float, int]]]:
    """Per case activity, start, end and sequence of each execution: completions take the oldest start."""
    work: dict[str, list[tuple[str, int, float, int]]] = {}
    waiting: dict[tuple[str, str], list[Told]] = {}
    for one in sorted(events, key=lambda e: (e.second, e.number)):
        queue = waiting.setdefault((one.case, one.activity), [])
        if one.kind == "start":
            queue.append(one)
        elif one.kind == "complete":
            start = queue.pop(0) if queue else one
            work.setdefault(one.case, []).append((one.activity, start.second, one.second, one.number))
    for (case, activity), queue in waiting.items():
        work.setdefault(case, []).extend((activity, s.second, math.inf, s.number) for s in queue)
    return {case: done for case, done in work.items() if done}


def naive_state(events: Sequence[Told], at: int) -> list[object]:
    """Open cases by first start: what is done and in progress by then, and what was told last."""
    events = [one for one in events if all(other.corrects != one.number for other in events)]
    found: list[tuple[int, str, object]] = []
    for case, everything in naive_work(events).items():
        known = [(a, s, e if e <= at else math.inf, n) for a, s, e, n in everything if s <= at]
        known.sort(key=lambda w: (w[2], w[1], w[3]))
        if not known:
            continue
        running = [w for w in known if w[2] == math.inf]
        last = max(max(s, e if e < math.inf else s) for _, s, e, _ in known)
        if not RULE.is_open([w[0] for w in known], at - last, bool(running)):
            continue
        said = sorted(
            (e for e in events if e.case == case and e.second <= at), key=lambda e: (e.second, e.number)
        )
        etas = {e.activity: (e.value, e.second) for e in said if e.kind == "eta"}
        values = [e.value for e in said if e.kind == "attribute"]
        content = (
            case,
            [w[:3] for w in known if w[2] < math.inf],
            [(w[0], w[1], float(at - w[1])) for w in running],
            None if running else last,
            str(values[-1]) if values else None,
            sorted(etas.items()),
        )
        found.append((min(w[1] for w in known), case, content))
    return [content for _, _, content in sorted(found, key=lambda f: f[:2])]


def _second(instant: datetime | None) -> int | None:
    return None if instant is None else round((instant - T0).total_seconds())


def as_naive(state: LogState) -> list[object]:
    return [
        (
            case.case,
            [(w.activity, _second(w.start), _second(w.end)) for w in case.done],
            [
                (w.activity, _second(w.start), elapsed)
                for w, elapsed in zip(case.in_progress, case.elapsed_s, strict=True)
            ],
            _second(case.waiting_since),
            case.attributes.get("case:value"),
            [(e.activity, ((_second(e.eta) or 0) - 1000, _second(e.told))) for e in case.etas],
        )
        for case in state.cases()
    ]


def states(historian: Historian, at: datetime | None = None, by: datetime | None = None) -> object:
    try:
        return as_naive(historian.state_at("live", at, RULE, by))
    except DataError as error:
        return [] if "nothing had begun" in str(error) or "no task execution" in str(error) else error


@settings(max_examples=12, deadline=None)
@given(told(), st.randoms(use_true_random=False), st.integers(1, 15))
def test_a_state_is_what_the_raw_events_say(log: list[Told], chance: random.Random, limit: int) -> None:
    sent = [as_event(one) for one in log]
    chance.shuffle(sent)
    with live() as (historian, inbox):
        feed(historian, inbox, sent[: len(sent) // 2], limit)
        if historian.logs():
            states(historian)
        feed(historian, inbox, sent[len(sent) // 2 :], limit)
        for at in (0, 7, 15, 20, 30):
            expected = naive_state(log, at)
            # Twice: what the first answer kept at hand must not change the second.
            for _ in range(2):
                assert states(historian, T0 + timedelta(seconds=at)) == expected


@settings(max_examples=6, deadline=None)
@given(told(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_the_record_of_an_instant_is_what_its_observer_saw(
    log: list[Told], chance: random.Random, batch: int
) -> None:
    sent = [event("first", 0, case="1", activity="A", lifecycle="start"), *map(as_event, log)]
    chance.shuffle(sent)
    clock, seen = Clock(), []
    with live(clock) as (historian, inbox):
        for i in range(0, len(sent), batch):
            clock.now_us += _MINUTE_US
            feed(historian, inbox, sent[i : i + batch])
            by = datetime.fromtimestamp(clock.now_us / 1e6, UTC)
            seen.append((by, states(historian), _hash(historian)))
        for by, state, content in seen:
            assert states(historian, by=by) == state
            assert _hash(historian, by) == content


def _hash(historian: Historian, by: datetime | None = None) -> str | None:
    try:
        return historian.snapshot("live", closing=RULE, recorded_by=by).content_hash
    except DataError:
        return None


def test_without_a_rule_the_state_has_the_open_cases_of_a_snapshot() -> None:
    events = []
    for i in range(40):
        steps = ["A", "B", "C"] if i % 4 else ["A"]
        events += [
            event(f"{i} {a}", 100 * i + 10 * k, case=f"{i:03d}", activity=a, lifecycle="complete")
            for k, a in enumerate(steps)
        ]
    with live() as (historian, inbox):
        for part in (events[:60], events[60:]):
            feed(historian, inbox, part)
            snapshot = historian.snapshot("live")
            expected = [c for c, is_open in zip(snapshot.cases, snapshot.is_open, strict=True) if is_open]
            for _ in range(2):
                state = historian.state_at("live")
                assert [case.case for case in state.cases()] == expected
            middle = T0 + timedelta(seconds=700)
            then = historian.snapshot("live", middle)
            assert [case.case for case in historian.state_at("live", middle).cases()] == [
                c for c, is_open in zip(then.cases, then.is_open, strict=True) if is_open
            ]


def test_what_is_at_hand_stays_complete_while_events_arrive() -> None:
    with live() as (historian, inbox):
        for round_ in range(4):
            feed(historian, inbox, [
                event(f"{round_} {i}", 10 * round_ + i % 3, case=str(i + 3 * round_), activity="AB"[i % 2])
                for i in range(6)
            ])  # fmt: skip
            rule = None if round_ == 3 else RULE
            _, wanted = state_at(historian._con, "live", None, rule, None)
            # Kept once for a rule, it is complete after every drain; another rule, or growth, asks again.
            assert wanted == (round_ in (0, 3))
            historian.state_at("live", None, rule)
            _, wanted = state_at(historian._con, "live", None, rule, None)
            assert not wanted


def test_only_logs_that_were_asked_for_have_their_standings_kept() -> None:
    with live() as (historian, inbox):
        for round_ in range(3):
            feed(historian, inbox, [
                event(f"{log} {round_} {i}", 10 * round_ + i, log, case=str(i + round_), activity="AB"[i % 2])
                for i in range(4) for log in ("asked", "live")
            ])  # fmt: skip
            asked = historian.state_at("asked", None, RULE)
            found = historian._con.execute("SELECT log, count(*) FROM case_state GROUP BY log").fetchall()
            assert found == [("asked", 4 + round_)]
        other = historian.state_at("live", None, RULE)
        assert as_naive(other) == as_naive(asked) == as_naive(historian.state_at("asked", None, RULE))


def test_instants_that_cannot_be_meant() -> None:
    with live() as (historian, inbox):
        feed(historian, inbox, [event(1, 0, case="1", activity="A", eta=stamp(60))])
        with pytest.raises(DataError, match="had no task execution yet"):
            historian.state_at("live")
        feed(historian, inbox, [event(2, 0, case="1", activity="A", lifecycle="start")])
        with pytest.raises(DataError, match="nothing had begun by 2024-03-04T07:59:59Z"):
            historian.state_at("live", T0 - timedelta(seconds=1), RULE)
        with pytest.raises(UsageError, match="has no time zone"):
            historian.state_at("live", datetime(2024, 3, 5))  # noqa: DTZ001
        with pytest.raises(DataError, match="there is no log 'lvie' in the database; it holds: 'live'"):
            historian.state_at("lvie")
        before = datetime.fromtimestamp(MUCH_LATER_US / 1e6 - 1, UTC)
        with pytest.raises(DataError, match="had no task execution yet"):
            historian.state_at("live", recorded_by=before)
