"""What-ifs against theory, and against themselves: nothing changed is no difference, to the bit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from examples.by_hand import example3, tandem
from metagraph.model import Metagraph
from simulation.engines import session
from simulation.kpis import figures as kpi_figures
from simulation.kpis import kpis
from tests.laws.theory import erlang_c_wait
from twin.given import Given
from twin.policies import OWN_RULES
from twin.progress import Progress
from twin.scenario import parse_scenario
from twin.whatif import WhatIfRequest, what_if
from twin.whatif_figures import Window, figures_of
from twin.whatif_found import ScenarioFound, WhatIf
from twin.whatif_runs import Contender
from twin.whatif_source import Futures

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
DAY_S = 86400.0


def asked(twin: Metagraph, *texts: str, days: float = 4.0, warm_up: float = 1.0, runs: int = 6) -> WhatIf:
    scenarios = tuple(parse_scenario(text, "s.toml", f"s{i}") for i, text in enumerate(texts))
    wanted = WhatIfRequest(
        Given(twin),
        scenarios,
        start=BEGIN,
        warm_up_s=warm_up * DAY_S,
        horizon_s=days * DAY_S,
        replications=runs,
        seed=5,
        workers=1,
    )
    return what_if(wanted, Progress())


def same(found: ScenarioFound) -> bool:
    zero = all(one.difference.low == one.difference.high == 0 for one in found.figures.values())
    return zero and all(set(one.difference) == {0.0} for one in found.courses.values())


@pytest.mark.parametrize(
    "text",
    [
        '[[absence]]\nagents = ["Loader 2"]\nfrom = "90d"\nuntil = "91d"',
        "[[duration]]\nfactor = 2\n[[duration]]\nfactor = 0.5",
        '[[arrivals]]\nfactor = 2\nclasses = ["A"]\nfrom = "1d"\n'
        '[[arrivals]]\nfactor = 0.5\nclasses = ["A"]\nfrom = "1d"',
        '[[lose]]\nagents = ["Loader 2"]\nfrom = "20d"',
        '[[hire]]\nlike = "Loader 2"\nfrom = "20d"',
    ],
)
def test_what_changes_nothing_within_the_comparison_makes_no_difference_at_all(text: str) -> None:
    found = asked(example3(), text).scenarios[0]
    assert same(found)
    assert "the same in every run" in found.verdict[0]


def test_what_changes_something_makes_one() -> None:
    text = '[[lose]]\nagents = ["Loader 2"]\nfrom = "2d"'
    assert not same(asked(example3(), text).scenarios[0])


def test_one_more_at_a_saturated_desk_makes_it_a_desk_of_two() -> None:
    # 18 orders an hour where one agent does 15; two do 30.
    more = "[[arrivals]]\nfactor = 1.5\n"
    texts = (more, more + '[[hire]]\nlike = "Ann"')
    alone, two = asked(tandem(), *texts, days=30.0, warm_up=2.0, runs=5).scenarios
    theory = erlang_c_wait(18 / 3600, 15 / 3600, 2)
    wait = two.figures["wait_s Check"]
    assert wait.scenario.low < theory < wait.scenario.high
    assert wait.scenario.high - wait.scenario.low < 0.25 * theory
    assert wait.baseline.low < erlang_c_wait(12 / 3600, 15 / 3600, 1) < wait.baseline.high
    # Without one more it never ends: by the hour, 3 more wait.
    assert alone.figures["wip_end"].difference.mean > 0.8 * 3 * 24 * 30


def test_scaled_arrivals_bring_so_many_more_orders() -> None:
    found = asked(example3(), "[[arrivals]]\nfactor = 1.3", days=20.0, runs=8).scenarios[0]
    orders = found.figures["orders"]
    assert orders.scenario.mean / orders.baseline.mean == pytest.approx(1.3, abs=0.03)
    assert orders.real


def test_figures_of_a_window_are_those_of_the_run_and_add_up() -> None:
    twin = replace(example3(), agents=tuple(replace(a, cost_per_h=10.0) for a in example3().agents))
    source = Futures(twin, BEGIN, BEGIN, 6 * DAY_S, 5)
    program = source(Contender("baseline", twin, OWN_RULES), 0)
    going = session(program, 5)
    going.run_to(2 * DAY_S)
    first = going.result(2 * DAY_S)
    going.run_to(6 * DAY_S)
    whole = going.result(6 * DAY_S)
    all_days = figures_of(twin, whole, None, Window(0.0, 6 * DAY_S), None)
    known = kpi_figures(kpis(whole))
    alike = ("completed", "lost", "fulfilled", "on_time", "profit", "cycle_mean_s", "wip_mean")
    for name in (*alike, "throughput_per_h", "utilisation Dock"):
        assert all_days[name] == pytest.approx(known[name], rel=1e-12)
    assert all_days["wait_s Load Goods"] == pytest.approx(known["task_waiting_s Load Goods"], rel=1e-12)
    assert all_days["cost"] == pytest.approx(10.0 * 10 * 24 * 6)
    before = figures_of(twin, first, None, Window(0.0, 2 * DAY_S), None)
    after = figures_of(twin, whole, first, Window(2 * DAY_S, 6 * DAY_S), None)
    for name in ("completed", "lost", "profit", "cost", "net"):
        assert before[name] + after[name] == pytest.approx(all_days[name], rel=1e-12)
    assert before["wip_mean"] * 2 + after["wip_mean"] * 4 == pytest.approx(6 * all_days["wip_mean"])
    assert before["utilisation Dock"] * 2 + after["utilisation Dock"] * 4 == pytest.approx(
        6 * all_days["utilisation Dock"]
    )


def test_a_lost_agent_who_returns_leaves_the_process_as_it_was() -> None:
    text = '[[lose]]\nagents = ["Loader 2"]\nfrom = "1d"\nuntil = "3d"'
    slow = '[[duration]]\nactivities = ["Load Goods"]\nfactor = 1.4\n'
    found = asked(example3(), slow + text, slow, days=8.0, runs=12)
    gone = found.scenarios[0]
    recovery = next(one for one in gone.recovery if one.series == "waiting for Load Goods")
    assert recovery.left is not None
    assert recovery.back is not None
    assert 1.0 < (recovery.left - BEGIN).total_seconds() / DAY_S < 2.0
    assert 3.0 < (recovery.back - BEGIN).total_seconds() / DAY_S < 6.0
    assert [(at - BEGIN).total_seconds() / DAY_S for at in gone.dates] == [1.0, 3.0]


def test_after_a_warm_up_all_begin_with_what_the_baseline_came_to() -> None:
    # Load 0.8 and 0.6: 4 and 1.5 orders on average, and both desks' starts are the same for all contenders.
    slow = '[[duration]]\nactivities = ["Check"]\nfactor = 1.2\n'
    found = asked(tandem(), slow, days=0.25, warm_up=3.0, runs=80)
    wip, changed = found.courses["orders in process"], found.scenarios[0].courses["orders in process"]
    assert wip.mean[0] == pytest.approx(5.5, abs=1.8)
    assert changed.difference[0] == 0.0
    assert changed.difference_low[-1] > 0
    for name in ("wait_s Pack", "utilisation Ann"):
        # It goes on as it was: nothing is lost or doubled at the beginning.
        level = {"wait_s Pack": 4.5 * 60, "utilisation Ann": 0.8}[name]
        interval = found.figures[name]
        assert interval.low - 0.1 * level < level < interval.high + 0.1 * level
