"""A simulated log holds the orders that a log cut in the same way would hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.distributions import Constant
from metagraph.model import Metagraph, Provenance
from metagraph.orders import Arrivals
from tests.simulation.builders import station
from tests.twin import small
from twin.observed import _SHARE, Cut, _kept, cut_of, simulated_log

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


@st.composite
def finished(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    """Releases, ascending, ends (NaN: none), and how many orders are asked for."""
    n = draw(st.integers(1, 9))
    release = np.sort(np.array(draw(st.lists(st.integers(0, 30), min_size=n, max_size=n)), np.float64))
    lasting = st.sampled_from([1.5, 4.25, 9.75, 30.5, np.nan])
    cycle = np.array(draw(st.lists(lasting, min_size=n, max_size=n)), np.float64)
    # Ends differ, so that there is one answer.
    return release, release + cycle + np.arange(n) / 1000, draw(st.integers(1, n))


def by_hand(release: np.ndarray, completed: np.ndarray, cases: int, share: float) -> set[int] | None:
    """The log grows until so many orders have finished; of those that arrived by then, the first ones and
    a share of the others may be in the log, and of these the first to finish are."""
    done = sorted((end, i) for i, end in enumerate(completed) if not np.isnan(end))
    if len(done) < cases:
        return None
    cut = done[cases - 1][0]
    if cut >= release[-1]:
        return None  # More might have arrived by then.
    arrived = sum(r < cut for r in release)
    among = round(cases + share * max(arrived - cases, 0))
    can = [(end, i) for end, i in done if i < among]
    return {i for _, i in can[:cases]} if len(can) >= cases else None


@given(finished(), st.sampled_from([0.5, 1.0]))
def test_kept_orders_are_those_counted_by_hand(
    given_: tuple[np.ndarray, np.ndarray, int], share: float
) -> None:
    release, completed, cases = given_
    found = _kept(release, completed, cases, share)
    assert (None if found is None else {*found.tolist()}) == by_hand(release, completed, cases, share)


@given(finished())
def test_a_log_without_missing_cases_has_the_first_arrivals(
    given_: tuple[np.ndarray, np.ndarray, int],
) -> None:
    release, completed, cases = given_
    found = _kept(release, completed, cases, _SHARE["none"])
    assert found is not None
    assert found.tolist() == [*range(cases)]


@given(finished())
def test_unknown_ends_lie_between_both_known_ones(given_: tuple[np.ndarray, np.ndarray, int]) -> None:
    """Cut at an instant, the mean cycle time of what is kept is the shortest; among the orders that arrive
    first it is the longest."""
    release, completed, cases = given_
    cycle = completed - release
    lasts = []
    for cut in ("instant", "unknown", "none"):
        found = _kept(release, completed, cases, _SHARE[cut])
        if found is None or np.isnan(completed[found]).any():
            return
        lasts.append(np.sort(completed[found]))
        assert len({*found.tolist()}) == cases
        assert cycle[found].min() > 0
    instant, unknown, first = lasts
    assert (instant <= unknown).all()
    assert (unknown <= first).all()


def watched(twin: Metagraph, cycle_s: float | None) -> Metagraph:
    """The twin of a log of four weeks with this mean cycle time."""
    known = Provenance("log", "hash", MONDAY - timedelta(weeks=4), MONDAY, 0, 0, 0, 0, cycle_s=cycle_s)
    return replace(twin, provenance=known)


@pytest.mark.parametrize("cut", ["none", "instant", "unknown"])
@pytest.mark.parametrize("cycle_s", [None, 8 * small.HOUR])
def test_orders_of_the_warm_up_are_not_in_the_log(cut: Cut, cycle_s: float | None) -> None:
    twin = watched(small.deterministic(redo=0.6, per_hour=1.0), cycle_s)
    log = simulated_log(twin, cut, start=MONDAY, cases=30, seed=1).frame
    ids = set(log["case_id"])
    assert len(ids) == 30
    assert not any(name.startswith("before") for name in ids)
    assert log["start_time"].min() >= MONDAY
    # Each order is whole: it begins with A and ends with F.
    assert (log["activity"] == "A").sum() == (log["activity"] == "F").sum() == 30


def test_orders_of_the_warm_up_keep_agents_busy() -> None:
    """One agent who is nearly always busy: without a warm-up the first order never waits."""
    twin = replace(station(Constant(small.HOUR)), arrivals=Arrivals((0.95,) * 168))
    begins = {
        cycle_s: [
            simulated_log(watched(twin, cycle_s), "none", start=MONDAY, cases=3, seed=1, replication=k)
            .frame["start_time"]
            .min()
            - MONDAY
            for k in range(20)
        ]
        for cycle_s in (None, 24 * small.HOUR)
    }
    assert set(begins[None]) == {timedelta()}
    assert sum(begin > timedelta() for begin in begins[24 * small.HOUR]) > 10


def test_the_same_seed_simulates_the_same_log_and_replications_differ() -> None:
    twin = watched(small.deterministic(redo=0.6, per_hour=1.0), 8 * small.HOUR)
    logs = [
        simulated_log(twin, "unknown", start=MONDAY, cases=20, seed=5, replication=k).frame for k in (0, 0, 1)
    ]
    assert logs[0].equals(logs[1])
    assert not logs[0].equals(logs[2])


def test_how_a_log_ends_is_read_from_the_twin() -> None:
    twin = watched(small.deterministic(per_hour=1.0), None)
    assert twin.provenance is not None
    missing = replace(twin, provenance=replace(twin.provenance, unfinished_missing=True))
    assert [cut_of(t) for t in (twin, missing, replace(twin, provenance=None))] == ["none", "unknown", "none"]
