from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from examples.by_hand import example3, tandem
from metagraph.errors import DataError, UsageError
from metagraph.orders import Order
from metagraph.state import OpenOrder, Position, State
from simulation.kpis import Interval
from twin.edits import edited
from twin.given import Given
from twin.json_out import dump, read
from twin.policies import Wanted
from twin.progress import CancelledError, Progress
from twin.scenario import parse_scenario
from twin.scenario_sections import Scenario
from twin.source import LogRequest
from twin.spans import seconds_of
from twin.whatif import WhatIfRequest, what_if
from twin.whatif_charts import differences_chart, whatif_chart
from twin.whatif_command import WhatIfFiles, whatif_command
from twin.whatif_compared import compared, family, recovery
from twin.whatif_costs import priced
from twin.whatif_found import Compared, Recovery, WhatIf
from twin.whatif_source import standing
from twin.whatif_words import recovery_text, verdict

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = 3600.0
LOST = '[[lose]]\nagents = ["Loader 2"]\nfrom = "6h"\n'


def scenario(text: str, name: str = "s") -> Scenario:
    return parse_scenario(text, f"{name}.toml", name)


def asked(*texts: str, runs: int = 4, state: State | None = None) -> WhatIf:
    found = tuple(scenario(text, f"s{i}") for i, text in enumerate(texts))
    given = Given(example3(), None if state is None else BEGIN, state=state)
    start = None if state is not None else BEGIN
    wanted = WhatIfRequest(given, found, start=start, horizon_s=24 * HOUR, replications=runs, workers=1)
    return what_if(wanted, Progress())


def test_the_result_is_read_as_it_is_written_and_drawn() -> None:
    found = asked(LOST, "[[arrivals]]\nfactor = 1.5")
    assert read(WhatIf, dump(found)) == read(WhatIf, dump(read(WhatIf, dump(found))))
    assert [one.name for one in found.scenarios] == ["s0", "s1"]
    assert len(found.at) == len(found.courses["orders in process"].mean)
    for chart in (whatif_chart(found), differences_chart(found)):
        assert chart.to_dict()


def test_an_open_order_begins_where_it_stands() -> None:
    state = State(
        5 * HOUR,
        (
            OpenOrder(
                Order("7", 0.0, cls="A", value=1000.0, due_s=30 * HOUR),
                (Position("load", 4 * HOUR, 4.5 * HOUR, "Loader 2"),),
                ("Create Order",),
            ),
        ),
    )
    found = asked('[[lose]]\nagents = ["Loader 2"]', state=state)
    assert found.begin == datetime(2024, 1, 1, 5, tzinfo=UTC)
    assert found.beginning.startswith("1 open orders")
    assert found.figures["wip_mean"].mean > 0
    assert found.courses["orders in process"].mean[0] == 1.0


def test_open_orders_may_go_on_before_the_comparison_begins() -> None:
    open_orders = tuple(
        OpenOrder(Order(str(k), 0.0, cls="B", value=1000.0), (Position("create", 0.0),), ()) for k in range(6)
    )
    given = Given(example3(), BEGIN, state=State(0.0, open_orders))
    slow = scenario("[[duration]]\nfactor = 3")
    wanted = WhatIfRequest(
        given, (slow,), warm_up_s=1.5 * HOUR, horizon_s=12 * HOUR, replications=4, workers=1
    )
    found = what_if(wanted, Progress())
    assert found.begin == datetime(2024, 1, 1, 1, 30, tzinfo=UTC)
    # Six orders wait for one person, who has done two or three of them by then, slow or not.
    wip, course = found.courses["orders in process"], found.scenarios[0].courses["orders in process"]
    assert course.difference[0] == 0.0
    assert 5.0 <= wip.mean[0] <= 10.0
    waits = found.courses["waiting for Create Order"]
    assert 2.0 <= waits.mean[0] <= 7.0
    assert course.difference[-1] > 0


def test_an_edit_with_a_date_counts_from_that_instant() -> None:
    """Its run is the baseline's until then; with the beginning as its date, that of the edit without one."""
    slow = '[[duration]]\nactivities = ["Load Goods"]\nfactor = 3\n'
    robot = '[[automate]]\nactivity = "Credit Check"\nconstant_min = 1\nat_once = 2\ncost = 2\ninvested = 9\n'
    texts = ("", 'from = "0h"', 'from = "12h"', 'from = "6h"\nuntil = "12h"', 'from = "30h"')
    found = asked(*(slow + text for text in texts), *(robot + text for text in texts[::2]), runs=2)
    whole, same, half, spell, never, *robots = found.scenarios
    assert whole.figures == same.figures
    course = {one.name: one.courses["orders in process"].difference for one in found.scenarios}
    assert course["s2"][:61] == (0.0,) * 61
    assert course["s2"] != (0.0,) * 121
    assert spell.dates == (BEGIN + 6 * timedelta(hours=1), BEGIN + 12 * timedelta(hours=1))
    assert never.figures["wip_mean"].difference.mean == never.figures["net"].difference.mean == 0.0
    assert "after the comparison" in never.notes[0]
    wip = [one.figures["wip_mean"].difference.mean for one in (half, spell, whole)]
    assert 0 < min(wip[:2]) <= max(wip[:2]) < wip[2]
    costs = [one.figures["cost_executions"].scenario.mean for one in robots]
    assert costs[0] > costs[1] > costs[2] == 0.0
    assert [one.figures["invested"].scenario.mean for one in robots] == [9.0, 9.0, 0.0]


def test_work_that_its_agent_may_not_do_any_more_goes_back_and_robots_begin_anew() -> None:
    twin = example3()
    at_work = Position("load", 1.0, 2.0, "Loader 2", ready_s=1.0, queue="Loader 2")
    waits = Position("credit", 1.0, ready_s=1.0, queue="Credit")
    state = State(3.0, (OpenOrder(Order("7", 0.0), (at_work, waits), ()),))
    text = '[[skills]]\nactivity = "Load Goods"\nremove = ["Loader 2"]\n'
    text += '[[automate]]\nactivity = "Credit Check"\nconstant_min = 1'
    after = edited(twin, scenario(text)).metagraph
    first, second = standing(state, twin, after).orders[0].positions
    assert (first.agent, first.started_s, first.queue, first.ready_s) == (None, None, None, 1.0)
    assert second == Position("credit", 1.0)
    assert standing(state, twin, twin) == state


def test_costs_that_nobody_knew_hold_for_the_baseline_too() -> None:
    text = '[[cost]]\nagents = ["Dock"]\nper_h = 20\n'
    twin, rest, words = priced(example3(), (scenario(text + LOST), scenario(text, "t")))
    assert next(agent for agent in twin.agents if agent.id == "Dock").cost_per_h == 20.0
    assert not any(one.cost for one in rest)
    assert words == ["agent Dock: 0 an hour → 20 an hour"]
    known = replace(twin, name="known")
    assert priced(known, (scenario(text.replace("20", "30")),))[1][0].cost
    with pytest.raises(DataError, match="Dock costs 30 here, 20 in another scenario"):
        priced(example3(), (scenario(text), scenario(text.replace("20", "30"), "t")))


def test_overtime_and_robots_cost_what_they_are_said_to() -> None:
    twin = tandem()
    office = '[[calendar]]\nagents = ["Ann"]\nhours = "Mon-Fri 08:00-16:00"\n'
    costs = '[[cost]]\nagents = ["Ann"]\nper_h = 10\n'
    late = '[[overtime]]\nagents = ["Ann"]\nfrom = "14h"\nuntil = "18h"\nrate = 1.5\n'
    robot = '[[automate]]\nactivity = "Check"\nconstant_min = 1\ncost = 2\ninvested = 300\n'
    texts = (office + costs, office + costs + late, robot + costs)
    scenarios = tuple(scenario(text, f"s{i}") for i, text in enumerate(texts))
    wanted = WhatIfRequest(
        Given(twin), scenarios, start=BEGIN, horizon_s=24 * HOUR, replications=2, workers=1
    )
    plain, extra, done = what_if(wanted, Progress()).scenarios
    assert plain.figures["cost_agents"].scenario.mean == pytest.approx(80.0)
    # From two to four it is at work anyway.
    assert extra.figures["cost_agents"].scenario.mean == pytest.approx(80.0)
    assert extra.figures["cost_overtime"].scenario.mean == pytest.approx(2 * 10 * 1.5)
    checks = done.figures["orders"].scenario.mean
    assert done.figures["cost_executions"].scenario.mean == pytest.approx(2 * checks, abs=4)
    assert done.figures["invested"].difference.mean == 300.0


def test_intervals_hold_together_over_figures_and_scenarios() -> None:
    random = np.random.default_rng(3)
    one = {
        "profit": random.normal(size=50),
        "lost": random.normal(size=50),
        "wait_s A": random.normal(size=50),
    }
    sure = family(one, [one, one])
    assert sure.headline == pytest.approx(1 - 0.05 / 4)
    assert sure.others == pytest.approx(1 - 0.05 / 2)
    other = {name: values + random.normal(size=50) for name, values in one.items()}
    wide = dict(compared(one, other, sure))["profit"].difference
    narrow = dict(compared(one, other, family(one, [one])))["profit"].difference
    assert wide.high - wide.low > narrow.high - narrow.low


def test_a_difference_that_can_not_be_told_says_how_many_more_runs_would() -> None:
    random = np.random.default_rng(4)
    before = random.normal(size=6000)
    change = random.normal(0.1, 1.0, size=6000)
    sure = family({"profit": before}, [{"profit": before}])
    few = dict(compared({"profit": before[:40]}, {"profit": (before + change)[:40]}, sure))["profit"]
    assert few.real is False
    assert few.more_runs is not None
    enough = 40 + few.more_runs
    # Of the size seen: as wide as the interval of so many runs.
    width = few.difference.high - few.difference.mean
    assert width * (40 / enough) ** 0.5 == pytest.approx(abs(few.difference.mean), rel=0.01)
    many = dict(compared({"profit": before}, {"profit": before + change}, sure))["profit"]
    assert many.real is True


def interval(mean: float, half: float) -> Interval:
    return Interval(mean, mean - half, mean + half, 20)


def test_sentences_say_what_is_real_what_is_the_same_and_what_nobody_can_tell() -> None:
    whole = interval(100.0, 5.0)
    figures = {
        "profit": Compared(whole, whole, interval(-12.0, 2.0), True),
        "lost": Compared(whole, whole, interval(0.0, 0.0), False),
        "cycle_mean_s": Compared(whole, whole, interval(60.0, 120.0), False, 60),
    }
    first, second, third = verdict(figures, 20)
    assert first == "The difference is real: profit of orders 12 less (10 to 14)."
    assert second == "Orders lost: the same in every run."
    assert third == (
        "Cycle time, mean: no difference can be told from chance after 20 runs (−60 s to +3 min); if it is "
        "as large as seen (+60 s), about 60 more runs would tell it."
    )
    assert next(verdict(figures, 1)).startswith("One run tells no difference")


@pytest.mark.parametrize(("left", "told"), [(-2.0, "2 fewer are open"), (30.0, "30 more are open")])
def test_profit_that_is_only_still_to_come_is_told(left: float, told: str) -> None:
    def one(baseline: float, by: float) -> Compared:
        return Compared(
            interval(baseline, 0.1), interval(baseline + by, 0.1), interval(by, 0.1), abs(by) > 0.1
        )

    figures = {"profit": one(1000.0, -10.0 * left), "completed": one(90.0, -left), "lost": one(10.0, 0.0)}
    last = list(verdict(figures | {"wip_end": one(20.0, left)}, 20))[-1]
    assert told in last
    assert "So all of the difference in profit" in last
    assert f"about {abs(left) * 10:.0f} at the baseline's mean of 10 an order" in last
    more = figures | {"wip_end": one(20.0, left), "profit": one(1000.0, 10.0 * left)}
    assert "So the difference in profit is told too small" in list(verdict(more, 20))[-1]
    for without in ({}, {"wip_end": one(20.0, 0.0)}):
        assert not any("still to come" in text for text in verdict(figures | without, 20))


def test_a_course_is_back_once_it_stays_back() -> None:
    at = [datetime(2024, 1, 1, hour, tzinfo=UTC) for hour in range(24)]
    baseline: NDArray[np.int32] = np.zeros((8, 24), np.int32)
    course = baseline.copy()
    course[:, 5:9] = 2
    found = recovery("waiting for A", course, baseline, at)
    assert (found.left, found.back, found.largest) == (at[5], at[9], 2.0)
    assert recovery_text(found, [at[4], at[8]]) == (
        "Waiting for A: different from the baseline from 2024-01-01 05:00 UTC on, 60 min after the change of "
        "2024-01-01 04:00 UTC, most at 2024-01-01 05:00 UTC (+2), and back from 2024-01-01 09:00 UTC on, "
        "60 min after the change of 2024-01-01 08:00 UTC."
    )
    course[0, 12] = 800  # one run of eight: a large mean that chance may explain, after the course is back
    assert recovery("waiting for A", course, baseline, at).largest_at == at[5]
    course[:, 20] = 1
    assert recovery("waiting for A", course, baseline, at).back is None
    assert recovery("waiting for A", baseline, baseline, at).left is None
    assert recovery_text(Recovery("w", None, 0.0, at[0], None), ()) == (
        "W: never really different from the baseline."
    )


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two contenders are called 's0'"):
        what_if(WhatIfRequest(Given(example3()), (scenario(LOST, "s0"), scenario(LOST, "s0"))), Progress())
    with pytest.raises(UsageError, match="two contenders are called 'baseline'"):
        what_if(WhatIfRequest(Given(example3()), (scenario(LOST, "baseline"),)), Progress())
    with pytest.raises(DataError, match=r"s, \[policy\] policy = nobody: unknown; take one of own"):
        what_if(WhatIfRequest(Given(example3()), (scenario("[policy]\npolicy = 'nobody'"),)), Progress())
    state = State(0.0, ())
    with pytest.raises(UsageError, match="leave --start out"):
        what_if(
            WhatIfRequest(Given(example3(), BEGIN, state=state), (scenario(LOST),), start=BEGIN),
            Progress(),
        )
    file = tmp_path / "s.toml"
    file.write_text(LOST)
    listed = Given(example3(), BEGIN, orders=(Order("1", 0.0),))
    with pytest.raises(UsageError, match="orders of its own"):
        whatif_command(WhatIfRequest(listed, ()), WhatIfFiles((file,), log=LogRequest("log.csv")), Progress())


def test_it_is_told_where_many_orders_are_open_at_the_end() -> None:
    def told(hours: float) -> bool:
        wanted = WhatIfRequest(
            Given(example3()), (scenario(LOST),), horizon_s=hours * HOUR, replications=2, workers=1
        )
        return any("still open at the end" in note for note in what_if(wanted, Progress()).notes)

    assert told(8.0)
    assert not told(72.0)


def test_stopping_stops() -> None:
    wanted = WhatIfRequest(
        Given(example3()),
        (scenario(LOST),),
        horizon_s=seconds_of("1d", "--horizon"),
        replications=50,
        workers=1,
    )
    with pytest.raises(CancelledError):
        what_if(wanted, Progress(cancelled=lambda: True))


PLANS = "[policy]\npolicy = 'milp'\nplan_every_h = 0.1\ncomputing_min = 0\ngap = 0.5\ntime_limit_s = 2\n"


def test_plans_are_a_policy_of_scenarios_and_of_the_baseline() -> None:
    orders = tuple(Order(str(i), 60.0 * i, value=value) for i, value in enumerate((1.0, 1.0, 900.0)))
    texts: list[str] = []

    def asked(*scenarios: str, policy: str = "own", cancel: bool = False) -> WhatIf:
        progress = Progress(
            lambda text, share: texts.append(text), lambda: cancel and any("plan" in one for one in texts)
        )
        wanted = WhatIfRequest(
            Given(tandem(), BEGIN, orders=orders),
            tuple(scenario(text, f"s{i}") for i, text in enumerate(scenarios)),
            horizon_s=8 * HOUR,
            replications=2,
            workers=1,
            policy=Wanted(policy=policy),
        )
        return what_if(wanted, progress)

    found = asked(PLANS, PLANS + "from = '5m'")
    made = dict(note.split(" plans a run")[0].split(": ") for note in found.notes if "plans a run" in note)
    assert float(made["s0"]) > float(made["s1"]) >= 1
    assert found.scenarios[0].figures["completed"].scenario.mean == 3.0
    assert any(text.startswith("run 1 of 2, plan") for text in texts)
    planned = asked('[policy]\npolicy = "FIFO"', policy="milp")
    assert any(note.startswith("baseline: 1 plans") for note in planned.notes)
    texts.clear()
    with pytest.raises(CancelledError):
        asked(PLANS, cancel=True)
    with pytest.raises(DataError, match="goes with policy"):
        scenario("[policy]\npolicy = 'SDD'\ngap = 0.1")
    with pytest.raises(DataError, match=r"milp: plans say themselves"):
        asked(PLANS + "tie = 'back'")
