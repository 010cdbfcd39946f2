"""Routing tables against counting by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.duration_rows import Groups
from calibration.routing import fit_routing
from calibration.settings import Settings
from calibration.window import open_window
from metagraph.blocks import Block, Choice, Empty, Leaf, Loop
from metagraph.blocks import Sequence as Chain
from metagraph.routing import Context, Routing
from tests.calibration.builders import DAY, Known, Row, known, snapshot


def leaf(label: str) -> Leaf:
    return Leaf(label.lower() + "1", label)


FORK = Chain(
    (
        Choice("x", "x_end", (leaf("A"), leaf("B"))),
        leaf("M"),
        Choice("y", "y_end", (leaf("C"), leaf("D"))),
    )
)
CIRCLE = Loop("again", "again_end", leaf("A"), (leaf("R"),))


def log_of(traces: Iterable[Sequence[str]], block: Block, *, open_cases: Iterable[int] = ()) -> Known:
    rows: list[Row] = []
    for i, trace in enumerate(traces):
        rows += [(str(i), a, "ann", i * DAY + k, i * DAY + k + 0.5) for k, a in enumerate(trace)]
    return known(snapshot(rows, open_cases=[str(i) for i in open_cases]), block)


def fitted(made: Known, settings: Settings | None = None, groups: Groups | None = None) -> dict[str, Routing]:
    nothing = ("",) * made.snapshot.n_cases
    window = open_window(made.snapshot, (settings or Settings()).window_share)
    found, _ = fit_routing(
        window, made.replayed, made.skeleton, groups or Groups(nothing, nothing), settings or Settings()
    )
    return {r.node: r for r in found}


def after(*history: str, visit: int = 1, cls: str = "") -> Context:
    return Context(cls, "", visit, history)


def test_what_history_decides_is_in_the_table() -> None:
    made = log_of(["AMC"] * 30 + ["BMD"] * 20 + ["BMC"] * 10, FORK)
    table = fitted(made)
    assert table["x"].overall().weights == (0.5, 0.5)
    assert table["x"].overall().n == 60
    assert len(table["x"].rows) == 1, "there is no history yet that could tell more"
    y = table["y"]
    assert y.overall().weights == pytest.approx((2 / 3, 1 / 3))
    assert y.weights(after("A", "M")) == (1.0, 0.0)
    assert y.weights(after("B", "M")) == pytest.approx((1 / 3, 2 / 3))
    assert y.weights(after("Z", "M")) == y.overall().weights, "unknown histories fall back"
    assert {(y.levels[row.level].history, row.key, row.n) for row in y.rows if row.key} == {
        (2, ("A", "M"), 30),
        (2, ("B", "M"), 30),
    }


def test_rows_that_say_nothing_new_are_left_out() -> None:
    traces = [a + "M" + c for a in "AB" for c in "CD" for _ in range(25)]
    assert [len(r.rows) for r in fitted(log_of(traces, FORK)).values()] == [1, 1]


def test_few_decisions_make_no_row() -> None:
    traces = ["AMC"] * 40 + ["BMD"] * 4
    assert ("B", "M") not in {row.key for row in fitted(log_of(traces, FORK))["y"].rows}
    wanted = fitted(log_of(traces, FORK), Settings(min_context=4))["y"]
    assert wanted.weights(after("B", "M")) == (0.0, 1.0)


def test_visits_are_counted() -> None:
    # Everybody goes round exactly once more.
    table = fitted(log_of(["ARA"] * 40, CIRCLE), Settings(history=0))["again_end"]
    assert table.overall().weights == (0.5, 0.5)
    assert table.weights(after("A", visit=1)) == pytest.approx((1.0, 0.0))
    assert table.weights(after("A", visit=2)) == (0.0, 1.0)
    blind = fitted(log_of(["ARA"] * 40, CIRCLE), Settings(history=0, visits=False))["again_end"]
    assert blind.weights(after("A", visit=1)) == (0.5, 0.5)


def test_classes_decide_where_they_differ() -> None:
    made = log_of(["AMC"] * 50 + ["AMD"] * 50, FORK)
    cls = tuple("big" if i < 50 else "small" for i in range(100))
    y = fitted(made, groups=Groups(cls, ("",) * 100))["y"]
    assert y.weights(after("A", "M", cls="big")) == (1.0, 0.0)
    assert y.weights(after("A", "M", cls="small")) == (0.0, 1.0)
    assert y.overall().weights == (0.5, 0.5)


def test_a_loop_always_has_a_way_out() -> None:
    # The only case is open and was sent back each time: nothing shows that it ever ends.
    table = fitted(log_of(["ARAR"], CIRCLE, open_cases=[0]))["again_end"]
    assert table.overall().n == 2
    assert table.overall().weights == pytest.approx((2.5 / 3, 0.5 / 3))


def test_a_redo_seen_a_few_times_only_is_drawn_towards_the_shorter_context() -> None:
    traces = ["A"] * 80 + ["ARA"] * 20 + ["ARARA"] * 6
    table = fitted(log_of(traces, CIRCLE))["again_end"]
    out = table.overall().weights[1]
    assert out == pytest.approx(106 / 138)
    for row in table.rows:
        assert row.weights[1] > 0 or row.n >= 30


def test_a_gateway_never_reached_is_even_and_reported() -> None:
    block = Chain((leaf("A"), Choice("x", "x_end", (Empty(), Chain((leaf("B"), CHOICE))))))
    made = log_of(["A"] * 10, block)
    window = open_window(made.snapshot, 1.0)
    nothing = ("",) * 10
    found, defaults = fit_routing(window, made.replayed, made.skeleton, Groups(nothing, nothing), Settings())
    z = next(r for r in found if r.node == "z")
    assert z.overall().weights == (0.5, 0.5)
    assert z.overall().n == 0
    assert [d.where for d in defaults] == ["gateway z"]


CHOICE = Choice("z", "z_end", (leaf("C"), leaf("D")))


def test_the_window_decides_and_the_whole_log_where_it_is_silent() -> None:
    made = log_of(["AMC"] * 50 + ["AMD"] * 50, FORK)
    assert fitted(made, Settings(window_share=0.5))["y"].overall().weights == (0.0, 1.0)
    block = Chain((leaf("M"), Choice("x", "x_end", (Empty(), CHOICE))))
    made = log_of(["MC"] * 50 + ["M"] * 50, block)
    assert fitted(made, Settings(window_share=0.5))["z"].overall().n == 50


traces = st.lists(
    st.tuples(st.sampled_from("AB"), st.lists(st.sampled_from("PQ"), min_size=1, max_size=4)),
    min_size=1,
    max_size=40,
)


@given(traces, st.integers(0, 3), st.integers(1, 6))
def test_rows_are_counts(cases: list[tuple[str, list[str]]], history: int, least: int) -> None:
    """Every row's weights and n equal those of a plain count of the replayed decisions in its context."""
    block = Chain(
        (
            Choice("x", "x_end", (leaf("A"), leaf("B"))),
            Loop("l", "l_end", Choice("y", "y_end", (leaf("P"), leaf("Q"))), (Empty(),)),
        )
    )
    made = log_of([first + "".join(rest) for first, rest in cases], block)
    log, decisions = made.snapshot, made.replayed.decisions
    table = fitted(made, Settings(history=history, min_context=least))
    for index, gateway in enumerate(made.replayed.gateways):
        routing = table[gateway]
        counts: dict[tuple[int, tuple[str, ...]], Counter[int]] = defaultdict(Counter)
        for i in np.flatnonzero(decisions.gateway == index):
            begin = log.offsets[decisions.case[i]]
            done = log.activity[begin : begin + decisions.position[i]]
            context = Context("", "", int(decisions.visit[i]), [log.activities[a] for a in done])
            for k, level in enumerate(routing.levels):
                counts[k, context.key(level)][int(decisions.flow[i])] += 1
        for row in routing.rows:
            expected = counts[row.level, row.key]
            assert row.n == expected.total() >= (least if row.key else 1)
            assert sum(row.weights) == pytest.approx(1)
            shares = [expected[f] / row.n for f in range(len(routing.flows))]
            if gateway != "l_end" or shares[-1] > 0:
                assert row.weights == pytest.approx(shares)
