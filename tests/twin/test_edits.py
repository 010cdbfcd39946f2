from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from examples.by_hand import by_hand, example3, tandem
from metagraph.agents import Absence, Queue
from metagraph.distributions import Constant
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.nodes import DurationRow, DurationTable
from metagraph.orders import ArrivalChange
from twin.edits import Edited, edited
from twin.policies import Wanted
from twin.scenario import parse_scenario

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def made(graph: Metagraph, text: str) -> Edited:
    return edited(graph, parse_scenario(text, "s.toml", "s"), BEGIN)


def refused(graph: Metagraph, text: str) -> str:
    with pytest.raises(DataError) as error:
        made(graph, text)
    return str(error.value)


def mean(graph: Metagraph, label: str, *key: str | None) -> float:
    task = next(task for task in graph.tasks() if task.label == label)
    return task.durations.lookup(*key).law.mean()


def test_an_agent_who_leaves_is_away_from_that_instant() -> None:
    found = made(example3(), '[[lose]]\nagents = ["Loader 2"]\nfrom = "2d"')
    agents = {agent.id: agent for agent in found.metagraph.agents}
    assert agents["Loader 2"].absences == (Absence(BEGIN + 2 * DAY, None, True, "what-if"),)
    assert [change.text for change in found.changes] == [
        "agent Loader 2: at work → away from 2024-01-03 00:00 UTC, its work goes to others"
    ]
    assert [agent.id for agent in found.metagraph.agents] == [agent.id for agent in example3().agents]


def test_an_absence_that_overlaps_others_comes_before_them() -> None:
    old = (Absence(BEGIN, BEGIN + 3 * DAY), Absence(BEGIN + 5 * DAY, BEGIN + 9 * DAY))
    twin = example3()
    agents = tuple(replace(a, absences=old) if a.id == "Dock" else a for a in twin.agents)
    text = '[[absence]]\nagents = ["Dock"]\nfrom = "2d"\nuntil = "6d"\nwork = "handed over"'
    found = made(replace(twin, agents=agents), text).metagraph
    dock = next(agent for agent in found.agents if agent.id == "Dock")
    spans = [((a.start - BEGIN) / DAY, a.end and (a.end - BEGIN) / DAY, a.hands_over) for a in dock.absences]
    assert spans == [(0, 2, False), (2, 6, True), (6, 9, False)]
    again = text.replace("handed over", "waits").replace("6d", "3d")
    assert "changes nothing" in refused(replace(twin, agents=agents), again)


def test_where_agents_have_a_queue_each_one_who_is_hired_gets_one_too() -> None:
    found = made(example3(), '[[hire]]\nlike = "Loader 1"\ncount = 2\nfrom = "4d"').metagraph
    load = next(task for task in found.tasks() if task.label == "Load Goods")
    assert load.queues == ("Loader 1", "Loader 2", "Loader 1 (hired)", "Loader 1 (hired) 2")
    assert [agent.hired for agent in found.agents[-2:]] == [BEGIN + 4 * DAY] * 2


def test_where_agents_share_a_queue_one_who_is_hired_joins_it() -> None:
    twin = tandem()
    shared = replace(twin, queues=(Queue("check", ("Ann",), (1.0,)), twin.queues[1]))
    found = made(shared, '[[hire]]\nlike = "Ann"\nnames = ["Cleo"]').metagraph
    assert found.queues[0] == Queue("check", ("Ann", "Cleo"), (0.5, 0.5))


def test_who_is_hired_for_less_than_all_that_waits_in_a_queue_gets_one_of_its_own() -> None:
    twin = tandem()
    pack = replace(twin.tasks()[1], queues=("check",))
    nodes = tuple(pack if n.id == "pack" else n for n in twin.nodes)
    both = replace(twin, nodes=nodes, queues=twin.queues[:1])
    found = made(both, '[[hire]]\nlike = "Ann"\nnames = ["Cleo"]\nskills = ["Pack"]').metagraph
    assert found.tasks()[0].queues == ("check",)
    assert found.tasks()[1].queues == ("check", "Cleo")


def test_who_is_hired_takes_as_long_as_the_other_by_its_pace() -> None:
    twin = tandem()
    check = twin.tasks()[0]
    rows = (*check.durations.rows, DurationRow(by_hand(Constant(60.0)), agent="Ann"))
    slow = replace(check, durations=DurationTable(rows))
    nodes = tuple(slow if n.id == "check" else n for n in twin.nodes)
    found = made(replace(twin, nodes=nodes), '[[hire]]\nlike = "Ann"\nnames = ["Cleo"]\npace = 0.5').metagraph
    assert mean(found, "Check", None, None, "Cleo") == 120.0
    assert mean(found, "Check", None, None, "Ann") == 60.0


def test_a_scaled_duration_leaves_everybody_else_as_they_were() -> None:
    text = '[[duration]]\nactivities = ["Load Goods"]\nclasses = ["A"]\nagents = ["Loader 2"]\nfactor = 2'
    before, after = example3(), made(example3(), text).metagraph
    for cls in ("A", "B", "C"):
        for agent in ("Loader 1", "Loader 2"):
            times = 2.0 if (cls, agent) == ("A", "Loader 2") else 1.0
            key = (cls, "", agent)
            assert mean(after, "Load Goods", *key) == times * mean(before, "Load Goods", *key)
    assert mean(after, "Credit Check", "A", "", "Credit") == mean(before, "Credit Check", "A", "", "Credit")


def test_a_factor_and_its_inverse_leave_the_durations() -> None:
    twice = '[[duration]]\nclasses = ["A"]\nfactor = 2\n'
    there = made(example3(), twice + twice.replace("2", "0.5")).metagraph
    for task in example3().tasks():
        for cls in ("A", "B", "C"):
            key = (cls, "", "Credit")
            assert mean(there, task.label, *key) == mean(example3(), task.label, *key)


def test_an_automated_activity_needs_nobody_or_its_robot() -> None:
    text = '[[automate]]\nactivity = "Credit Check"\nconstant_min = 1\ncost = 2\ninvested = 500\n'
    found = made(example3(), text)
    credit = next(task for task in found.metagraph.tasks() if task.label == "Credit Check")
    assert (credit.queues, credit.cost, credit.durations.default.law) == ((), 2.0, Constant(60.0))
    assert found.invested(BEGIN) == 500.0
    found = made(example3(), text + "at_once = 3")
    credit = next(task for task in found.metagraph.tasks() if task.label == "Credit Check")
    assert credit.queues == ("Robot: Credit Check",)
    assert found.metagraph.agents[-1].capacity == 3


def test_what_is_dropped_keeps_its_place_so_that_others_keep_their_numbers() -> None:
    found = made(example3(), '[[drop]]\nactivity = "Credit Check"').metagraph
    assert [node.id for node in found.nodes] == [node.id for node in example3().nodes]
    assert mean(found, "Credit Check", None, None, None) == 0.0


def test_arrivals_change_in_rates_or_at_an_instant() -> None:
    twin = example3()
    assert twin.arrivals is not None
    whole = made(twin, "[[arrivals]]\nfactor = 1.5").metagraph.arrivals
    assert whole is not None
    assert whole.rates_per_h[0] == 1.5 * twin.arrivals.rates_per_h[0]
    later = made(twin, '[[arrivals]]\nfactor = 1.5\nclasses = ["A"]\nfrom = "1d"').metagraph.arrivals
    assert later is not None
    assert later.changes == (ArrivalChange(1.5, BEGIN + DAY, None, "A"),)
    assert later.rates_per_h == twin.arrivals.rates_per_h


def test_a_factor_of_zero_stops_arrivals() -> None:
    stopped = made(example3(), "[[arrivals]]\nfactor = 0").metagraph.arrivals
    assert stopped is not None
    assert stopped.changes[0].factor == 0.0
    assert any(stopped.rates_per_h)


def test_somebody_whom_the_twin_takes_together_with_others_is_told_so() -> None:
    twin = example3()
    agents = tuple(replace(a, members=("Eve", "Finn")) if a.id == "Dock" else a for a in twin.agents)
    said = refused(replace(twin, agents=agents), '[[lose]]\nagents = ["Eve"]')
    assert "Eve is one of 2 whom the twin takes together as the agent 'Dock', which does 1 at once" in said


def test_a_policy_comes_beside_the_metagraph() -> None:
    found = made(example3(), '[policy]\npolicy = "PDS"\nresume_penalty_min = 2')
    assert found.metagraph == example3()
    assert found.wanted(Wanted("P", tie="keep")) == Wanted("PDS", resume_penalty_s=120.0)
    only = made(example3(), "[policy]\npreemption = false")
    assert only.wanted(Wanted("P", tie="keep")) == Wanted("P", tie="keep", preemption=False)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[lose]]\nagents = ["Loader"]', "no agent 'Loader'; the nearest known: Loader 2, Loader 1"),
        ('[[drop]]\nactivity = "Load"', "no activity 'Load'; the nearest known: Load Goods"),
        ('[[duration]]\nactivities = ["Credit Check"]\nagents = ["Dock"]\nfactor = 2', "changes nothing"),
        ("[[duration]]\nfactor = 1", "changes nothing"),
        ("[[arrivals]]\nfactor = 1.0", "changes nothing"),
        ('[[arrivals]]\nclasses = ["D"]\nfactor = 2', "no class 'D'"),
        ('[[calendar]]\nagents = ["Dock"]\nhours = "always"', "changes nothing"),
        ('[[priority]]\nrule = "FIFO"', "changes nothing"),
        ('[[preemptible]]\nactivities = ["Load Goods"]\nallowed = true', "changes nothing"),
        ('[[batch]]\nactivity = "Load Goods"\nsize = 3', "could wait for ever"),
        ('[[batch]]\nactivity = "Load Goods"\nnone = true', "changes nothing"),
        ("[[delay]]\nfactor = 2", "changes nothing"),
        ("[policy]\npolicy = 'own'", "changes nothing"),
        ('[[routing]]\ngateway = "plan"\nweights = { a = 1.0 }', "no gateway that chooses"),
        ('[[lose]]\nagents = ["Dock"]\nfrom = "3d"\nuntil = "2d"', "not after its beginning"),
        ('[[hire]]\nlike = "Dock"\nnames = ["Dock"]', "must differ"),
        ('[[skills]]\nactivity = "Credit Check"\nremove = ["Credit"]', "nobody would be left"),
        ('[[cost]]\nagents = ["Dock"]\nper_h = 0', "changes nothing"),
        ('[[capacity]]\nagents = ["Dock"]\nat_once = 1', "changes nothing"),
    ],
)
def test_what_is_unknown_or_changes_nothing_is_refused(text: str, says: str) -> None:
    assert says in refused(example3(), text)


def test_an_activity_that_nobody_is_left_to_do_is_told() -> None:
    found = made(example3(), '[[lose]]\nagents = ["Loader 1", "Loader 2"]\nfrom = "1d"')
    assert found.notes == (
        "from 2024-01-02 00:00 UTC on nobody is left who does Load Goods: its orders wait there",
    )
    assert not made(example3(), '[[lose]]\nagents = ["Loader 1"]').notes


def test_without_a_beginning_times_after_it_are_refused() -> None:
    scenario = parse_scenario('[[lose]]\nagents = ["Dock"]\nfrom = "2d"', "s.toml", "s")
    with pytest.raises(DataError, match="which isn't known here"):
        edited(example3(), scenario)
