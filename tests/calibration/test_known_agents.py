"""What a known process's agents do is found in the log that it makes."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from calibration.agents import fit_resources
from calibration.durations import work_seconds
from calibration.settings import Settings
from calibration.window import open_window
from metagraph.agents import Agent, Queue
from metagraph.distributions import Parametric
from metagraph.model import Metagraph
from tests.calibration.known_runs import log_of, stream
from tests.simulation.builders import process, row

LAW = Parametric("gamma", (2.0, 0.0, 450.0))


def multitaskers(sharing: Literal["parallel", "shared"], capacity: int) -> Metagraph:
    """Two tasks, two pools of three agents in office hours who hold several items."""
    pools = {"a": ("ann", "amy", "ada"), "b": ("bob", "ben", "bo")}
    return process(
        row("a", "b"),
        LAW,
        queues=[Queue(q, names) for q, names in pools.items()],
        serves={"a": ["a"], "b": ["b"]},
        agents=[
            Agent(name, "office", capacity=capacity, sharing=sharing)
            for names in pools.values()
            for name in names
        ],
    )


@pytest.mark.parametrize("seed", range(3))
def test_sharing_agents_and_their_work_are_found(seed: int) -> None:
    orders = stream(1.5, 1000, np.random.default_rng(seed))
    log = log_of(multitaskers("shared", 5), orders, seed)
    window = open_window(log, 1.0)
    found = fit_resources(window, Settings())
    assert {a.sharing for a in found.agents} == {"shared"}
    assert {a.capacity for a in found.agents} <= {4, 5}
    work, _ = work_seconds(window, found)
    lasting = log.end_s - log.start_s
    # 99.9 % of the mean of so many draws, and 3 % for the corners of the calendars.
    width = 3.29 * 450 * np.sqrt(2) / np.sqrt(len(work)) + 0.03 * 900
    assert work.mean() == pytest.approx(900, abs=width)
    assert np.median(lasting) > 1.5 * np.median(work)


@pytest.mark.parametrize("seed", range(3))
def test_parallel_agents_are_not_taken_for_sharing_ones(seed: int) -> None:
    orders = stream(4.0, 1000, np.random.default_rng(seed))
    log = log_of(multitaskers("parallel", 4), orders, seed)
    found = fit_resources(open_window(log, 1.0), Settings())
    assert {a.sharing for a in found.agents} == {"parallel"}
    assert {a.capacity for a in found.agents} == {4}
