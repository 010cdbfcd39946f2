"""Costs that a twin doesn't know: what scenarios say of them holds for the baseline, too."""

from __future__ import annotations

from collections.abc import Sequence

from metagraph.errors import DataError
from metagraph.model import Metagraph
from twin.edit_tools import Place
from twin.edits_agents import costs
from twin.scenario_sections import CostSection, Scenario


def priced(
    twin: Metagraph, scenarios: Sequence[Scenario]
) -> tuple[Metagraph, tuple[Scenario, ...], list[str]]:
    """The twin with costs that it doesn't know (0) as scenarios say them, the scenarios without the tables
    that said so, and what was taken so in words.

    A cost isn't what a scenario changes if nobody knew it before. Raises DataError where two scenarios say
    different costs of the same, or name something unknown.
    """
    facts: dict[tuple[str, str], float] = {}
    graph, rest, words = twin, [], []
    for scenario in scenarios:
        kept = []
        for i, said in enumerate(scenario.cost, 1):
            place = Place(f"{scenario.name}, [[cost]] {i}", None)
            new = dict(_said(said))
            if not _unknown(twin, said, place):
                kept.append(said)
                continue
            for key, money in new.items():
                if facts.setdefault(key, money) != money:
                    raise DataError(
                        f"{place.where}: {key[1]} costs {money:g} here, {facts[key]:g} in another scenario, "
                        "and the twin knows neither; say the same in both, or put the cost into the twin"
                    )
            if any(_cost(graph, *key) != money for key, money in new.items()):
                graph, told = costs(graph, said, place)
                words += told
        rest.append(scenario.model_copy(update={"cost": tuple(kept)}))
    return graph, tuple(rest), words


def _said(said: CostSection) -> list[tuple[tuple[str, str], float]]:
    hours = [(("agent", name), said.per_h) for name in said.agents or ()]
    each = [(("activity", name), said.per_execution) for name in said.activities or ()]
    return [(key, money) for key, money in (*hours, *each) if money is not None]


def _unknown(twin: Metagraph, said: CostSection, place: Place) -> bool:
    """Whether the twin knows no cost of any that is named."""
    place.agents(twin, said.agents or ())
    place.tasks(twin, said.activities or ())
    return all(_cost(twin, *key) == 0.0 for key, _ in _said(said))


def _cost(graph: Metagraph, kind: str, name: str) -> float:
    if kind == "agent":
        return next(agent.cost_per_h for agent in graph.agents if agent.id == name)
    return next(task.cost for task in graph.tasks() if task.label == name)
