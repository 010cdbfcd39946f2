"""Roles by what people do; people who were seen rarely, or all of a role, as one agent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.agents import fit_resources
from calibration.calibrate import calibrate
from calibration.crews import merged, work_counts
from calibration.roles import clusters, fit_roles
from calibration.settings import EACH, RARE_MERGED, ROLES, Settings
from calibration.window import open_window
from discovery.replay_log import replay_log
from eventlogs.snapshot import Snapshot
from metagraph.agents import Agent, Queue
from metagraph.blocks import skeleton
from metagraph.calendars import Calendar
from metagraph.distributions import ENOUGH, Parametric
from metagraph.errors import UsageError
from metagraph.model import Metagraph
from tests.calibration.builders import HOUR, Row, chain, snapshot
from tests.calibration.known_runs import log_of, stream
from tests.simulation.builders import process, row

EARLY = Calendar("early", tuple((d * 86400 + 8 * 3600.0, d * 86400 + 17 * 3600.0) for d in range(7)))
LATE = Calendar("late", tuple((d * 86400 + 10 * 3600.0, d * 86400 + 18 * 3600.0) for d in range(7)))
HELPERS = tuple(f"helper {i:02}" for i in range(60))
BLOCK = chain("A", "B")


def office() -> Metagraph:
    """Three people do A; B is done a little later in the day by three others and sixty helpers."""
    crews = {"a": ("ann", "amy", "ada"), "b": ("bob", "ben", "bo", *HELPERS)}
    weights = {"a": (), "b": (0.22, 0.22, 0.22) + (0.34 / 60,) * 60}
    return process(
        row("a", "b"),
        {"a": Parametric("gamma", (2.0, 0.0, 600.0)), "b": Parametric("gamma", (2.0, 0.0, 3600.0))},
        queues=[Queue(q, members, weights[q]) for q, members in crews.items()],
        serves={"a": ["a"], "b": ["b"]},
        agents=[Agent(n, "early") for n in crews["a"]] + [Agent(n, "late") for n in crews["b"]],
        calendars=(EARLY, LATE),
    )


@pytest.fixture(scope="module")
def log() -> Snapshot:
    return log_of(office(), stream(1.5, 1300, np.random.default_rng(7)), 7)


def test_roles_are_who_does_the_same(log: Snapshot) -> None:
    roles, names = fit_roles(work_counts(open_window(log, 1.0)), log.activities)
    assert {names[r] for r in roles} == {"A", "B"}
    for name, role in zip(log.resources, roles, strict=True):
        assert names[role] == ("A" if name in ("ann", "amy", "ada") else "B")


def test_shares_decide_about_roles_not_numbers() -> None:
    work = np.array([[500, 500, 0], [40, 60, 0], [9, 1, 90], [60, 0, 0], [0, 0, 4000]])
    found = clusters(work)
    assert found[0] == found[1]
    assert found[2] == found[4]
    assert len(set(found.tolist())) == 3


def test_rare_agents_join_who_does_their_work_or_each_other() -> None:
    work = np.array([[50, 50, 0, 0], [0, 2, 90, 0], [2, 0, 0, 0], [0, 0, 0, 3], [0, 0, 0, 1], [0, 0, 0, 0]])
    roles, names = fit_roles(work, ("Check", "Call", "Ship", "Post"))
    assert [names[r] for r in roles[:5]] == ["Check, Call", "Ship", "Check, Call", "Post", "Post"]


def test_alike_names_are_numbered() -> None:
    """Two roles that do A, B and a third task each, which isn't the same one."""
    work = np.array([[400, 300, 300, 0], [400, 300, 0, 300]])
    assert fit_roles(work, ("A", "B", "C", "D"))[1] == ("A, B +1", "A, B +1 (2)")


def test_who_fits_two_roles_joins_the_one_whose_work_it_is() -> None:
    """Both roles do B; it is most of the second's, and hardly anything of the first's."""
    work = np.array([[900, 100, 0], [10, 500, 490], [1, 8, 0], [8, 1, 0]])
    roles, names = fit_roles(work, ("A", "B", "C"))
    assert [names[r] for r in roles] == ["A, B", "B, C", "B, C", "A, B"]


@given(st.lists(st.lists(st.integers(0, 60), min_size=3, max_size=3), min_size=1, max_size=12), st.data())
def test_roles_don_t_depend_on_the_order_of_agents(work: list[list[int]], data: st.DataObject) -> None:
    table = np.array(work, np.int64)
    order = np.array(data.draw(st.permutations(range(len(work)))))
    roles, names = fit_roles(table, ("A", "B", "C"))
    others, _ = fit_roles(table[order], ("A", "B", "C"))
    back = np.empty_like(others)
    back[order] = others
    some = table.sum(axis=1) > 0
    pairs = set(zip(roles[some].tolist(), back[some].tolist(), strict=True))
    assert len(pairs) == len(set(roles[some].tolist())) == len(set(back[some].tolist()))
    assert len(names) >= len(set(roles.tolist()))


def test_rare_agents_become_one_with_the_hours_of_all(log: Snapshot) -> None:
    found = fit_resources(merged(open_window(log, 1.0), RARE_MERGED), Settings(resources=RARE_MERGED))
    (crew,) = (agent for agent in found.agents if agent.members)
    done = np.bincount(log.resource, minlength=len(log.resources))
    rare = tuple(name for name, n in zip(log.resources, done, strict=True) if n < ENOUGH)
    assert len(rare) > 30
    assert set(rare) < set(HELPERS)
    assert crew.members == rare
    assert crew.id == "B: rarely seen"
    assert len(found.agents) == len(log.resources) - len(rare) + 1
    calendar = next(c for c in found.calendars if c.id == crew.calendar)
    assert 0.95 * LATE.weekly_hours() <= calendar.weekly_hours() <= LATE.weekly_hours()
    assert {day_s % 86400 for day_s, _ in calendar.hours} == {10 * HOUR}
    (queue,) = (q for q in found.queues if q.id == "B")
    share = dict(zip(queue.agents, queue.weights, strict=True))[crew.id]
    assert share == pytest.approx(
        np.isin(np.array(log.resources)[log.resource], rare).sum() / (log.activity == 1).sum()
    )
    assert any(d.where == f"{len(rare)} agents" for d in found.defaults)
    assert found.facts[f"agent {crew.id}"].startswith(f"stands for {rare[0]}, {rare[1]}")
    assert found.facts[f"agent {crew.id}"].endswith(f"and {len(rare) - 12} more")


def test_people_of_whom_something_is_said_stay_by_themselves(log: Snapshot) -> None:
    window = merged(open_window(log, 1.0), ROLES, ("ann", "helper 07", "who"))
    found = {agent.id: agent.members for agent in fit_resources(window, Settings()).agents}
    assert {name for name, members in found.items() if not members} == {"ann", "helper 07"}
    assert {"ann", "helper 07"}.isdisjoint(person for members in found.values() for person in members)


def test_roles_as_pools_are_one_agent_each_with_all_hands(log: Snapshot) -> None:
    found = fit_resources(merged(open_window(log, 1.0), ROLES), Settings(resources=ROLES))
    assert {a.id: len(a.members) for a in found.agents} == {"A: everybody": 3, "B: everybody": 63}
    (a,) = (agent for agent in found.agents if len(agent.members) == 3)
    assert a.capacity == 3


def cycle_h(log: Snapshot) -> float:
    first = np.minimum.reduceat(log.start_s, log.offsets[:-1])
    last = np.maximum.reduceat(log.end_s, log.offsets[:-1])
    return float((last - first).mean()) / 3600


@pytest.mark.parametrize("resources", [RARE_MERGED, ROLES])
def test_a_twin_with_merged_people_takes_as_long(log: Snapshot, resources: str) -> None:
    """With each by itself it takes 15 % longer here: hours read from a hundred stamps have holes."""
    settings = Settings(resources=resources, use_delay=False, fast=True)
    model = calibrate(log, skeleton(BLOCK), replay_log(log, BLOCK), settings, name="office", seed=0)
    orders = [stream(1.5, 1300, np.random.default_rng(seed)) for seed in range(20, 24)]
    ours, true = (np.mean([cycle_h(log_of(m, o, 3)) for o in orders]) for m in (model, office()))
    assert ours == pytest.approx(true, rel=0.08)


def test_nobody_rare_means_nobody_merged() -> None:
    rows: list[Row] = [
        (str(i), "A", "ann" if i % 2 else "bob", i * HOUR, i * HOUR + 60) for i in range(4 * ENOUGH)
    ]
    window = open_window(snapshot(rows), 1.0)
    assert merged(window, RARE_MERGED) is window
    assert merged(window, EACH) is window


def test_a_model_of_resources_nobody_knows_is_refused() -> None:
    with pytest.raises(UsageError, match="resources is 'teams'; expected one of: each agent by itself; "):
        replace(Settings(), resources="teams")
