"""What is made of executions without a resource: as if the log had named who did them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.agents import Resources, fit_resources
from calibration.breakdown import break_down
from calibration.durations import work_seconds
from calibration.settings import Settings
from calibration.unnamed import attribute
from calibration.waits import fit_waits
from calibration.window import Window, open_window
from discovery.replay_log import replay_log
from eventlogs.snapshot import NO_RESOURCE, Snapshot
from metagraph.agents import Agent, Queue
from metagraph.calendars import Calendar
from metagraph.distributions import Parametric
from metagraph.model import Metagraph
from metagraph.nodes import WaitBreakdown
from tests.calibration.builders import HOUR, Row, chain, snapshot
from tests.calibration.known_runs import log_of, stream
from tests.simulation.builders import process, row

LAW = Parametric("gamma", (2.0, 0.0, 450.0))
EARLY = Calendar("early", tuple((d * 86400 + 6 * 3600.0, d * 86400 + 14 * 3600.0) for d in range(5)))
LATE = Calendar("late", tuple((d * 86400 + 13 * 3600.0, d * 86400 + 21 * 3600.0) for d in range(6)))


def shift_workers(capacity: int) -> Metagraph:
    """Two tasks, two pools in two shifts; one agent is of both."""
    pools = {"a": ("ann", "amy", "ada"), "b": ("bob", "ben", "bo", "ann")}
    late = ("amy", "bob", "bo")
    names = dict.fromkeys(name for members in pools.values() for name in members)
    return process(
        row("a", "b"),
        LAW,
        queues=[Queue(q, members) for q, members in pools.items()],
        serves={"a": ["a"], "b": ["b"]},
        agents=[Agent(n, "late" if n in late else "early", capacity=capacity) for n in names],
        calendars=(EARLY, LATE),
        delays={"b": Parametric("expon", (0.0, 7200.0))},
    )


def without(log: Snapshot, share: float, seed: int) -> Snapshot:
    """The log with that share of its resources deleted."""
    gone = np.random.default_rng(seed).random(log.n_events) < share
    return replace(log, resource=np.where(gone, NO_RESOURCE, log.resource).astype(np.int32))


@dataclass(frozen=True)
class Fit:
    """What calibration makes of a log."""

    window: Window
    resources: Resources
    work: float
    load: dict[str, float]
    delay: float
    waits: WaitBreakdown


def fit(log: Snapshot) -> Fit:
    window = open_window(log, 1.0)
    resources = fit_resources(window, Settings())
    work, _ = work_seconds(window, resources)
    replayed = replay_log(log, chain("A", "B"))
    who = window.snapshot.resource
    load = np.bincount(who[who >= 0], work[who >= 0], minlength=len(log.resources))
    return Fit(
        window,
        resources,
        float(work.mean()),
        dict(zip(log.resources, load.tolist(), strict=True)),
        fit_waits(window, replayed, resources, Settings()).delays["B"].default.law.mean(),
        break_down(log, replayed, Settings())["B"],
    )


@pytest.mark.parametrize(
    ("capacity", "per_h", "share", "near", "delayed"),
    [(1, 2.5, 0.1, 0.02, 0.1), (1, 2.5, 0.3, 0.1, 0.4), (3, 5.6, 0.1, 0.05, 0.5)],
)
def test_a_log_that_lost_resources_gives_the_same_people_and_waits(
    capacity: int, per_h: float, share: float, near: float, delayed: float
) -> None:
    """Left as they were, 10 % without a resource made work 25 % longer and the delay twice as long.

    With agents who are as busy as these the delay stands on the few instants at which all are, and is the
    least sure.
    """
    log = log_of(shift_workers(capacity), stream(per_h, 1000, np.random.default_rng(1)), 1)
    whole, found = fit(log), fit(without(log, share, 2))
    assert [a.capacity for a in found.resources.agents] == [a.capacity for a in whole.resources.agents]
    assert [a.id for a in found.resources.agents] == [a.id for a in whole.resources.agents]
    assert found.load == pytest.approx(whole.load, rel=near)
    assert found.work == pytest.approx(whole.work, rel=near / 2)
    assert found.delay == pytest.approx(whole.delay, rel=delayed)
    for part in ("off_shift_s", "busy_s", "prioritised_s"):
        assert getattr(found.waits, part) == pytest.approx(getattr(whole.waits, part), rel=near + 0.02)


def test_who_is_away_gets_nothing() -> None:
    rows: list[Row] = []
    for day in range(100):
        who = "ann" if day < 50 else "bob"
        at = [day * 86400 + hour * HOUR for hour in range(8, 16)]
        rows += [(f"{t}", "A", who if (k + day) % 4 else None, t, t + 0.5 * HOUR) for k, t in enumerate(at)]
    log = snapshot(rows)
    found = attribute(log)
    names = np.array(log.resources)[found.resource]
    assert (names == np.where(log.start_s < 50 * 86400, "ann", "bob")).mean() > 0.99
    assert found.rows.sum() == 200
    assert not found.alone.any()


def test_work_at_an_hour_in_which_nobody_was_seen_is_told() -> None:
    rows: list[Row] = [(str(i), "A", "ann", i * 24 * HOUR, i * 24 * HOUR + 60) for i in range(40)]
    rows.append(("late", "A", None, 60 * 24 * HOUR, 60 * 24 * HOUR + 60))
    found = fit_resources(open_window(snapshot(rows), 1.0), Settings())
    (said,) = (d for d in found.defaults if d.where == "task A")
    assert said.missing == "resource of 1 of its 41 executions (2%)"
    assert said.assumed.endswith("; 1 when none of them was seen at work")


NAMES = st.sampled_from(["ann", "bob", "eve", None])
EXECUTIONS = st.lists(
    st.tuples(
        st.sampled_from("AB"),
        NAMES,
        st.floats(0, 1e6).map(lambda t: round(t, 1)),
        st.sampled_from([0.0, 1.0, 60.0, 3600.0, 1e5]),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(EXECUTIONS)
def test_only_what_has_no_resource_gets_one_and_always_the_same(
    executions: list[tuple[str, str | None, float, float]],
) -> None:
    log = snapshot([(str(i), a, r, t, t + d) for i, (a, r, t, d) in enumerate(executions)])
    found, again = attribute(log), attribute(log)
    assert (found.resource == again.resource).all()
    named = log.resource != NO_RESOURCE
    assert (found.resource[named] == log.resource[named]).all()
    for a in range(len(log.activities)):
        mine = log.activity == a
        done_by = set(log.resource[mine & named].tolist())
        given_to = set(found.resource[mine & ~named].tolist())
        mostly = 2 * named[mine].sum() >= mine.sum()
        assert given_to <= (done_by if mostly else {NO_RESOURCE})
