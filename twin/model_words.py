"""What a twin knows and assumes, in sentences."""

from __future__ import annotations

from math import exp, sqrt

import numpy as np

from metagraph.agents import UNLIMITED
from metagraph.model import Metagraph
from metagraph.nodes import DelayTable
from metagraph.orders import ArrivalLevel, Arrivals
from twin.words import gateway_text, law_name, mean_text, number, percent

TOLD = 0.01
"""Smaller changes of the level of arrivals are not worth a sentence."""
WINDOW = "calibration window"
NO_CONGESTION = (
    "Waiting is drawn from the past, not caused by busy people: this twin can't say what more orders or "
    "fewer people would do."
)
NEARLY_ALL = 0.8
"""Of the waiting that was seen: where delays come to so much, little is left that people could cause."""
PACED = "runs at the pace of the hour of the week: faster in the hours in which work begins"


def congestion_text(metagraph: Metagraph) -> str:
    """What a twin whose agents are never busy, or hardly matter, can't say; empty for others."""
    unlimited = [agent.capacity >= UNLIMITED for agent in metagraph.agents]
    if unlimited and all(unlimited):
        return NO_CONGESTION
    share = _delayed(metagraph)
    if share < NEARLY_ALL:
        return ""
    return (
        f"The twin's delays, drawn from the past, come to {percent(min(share, 1.0))} of the waiting that was "
        "seen: though its agents can be busy, more orders or fewer people change its waits little."
    )


def _delayed(metagraph: Metagraph) -> float:
    """All delays over all waiting that was seen, by how often tasks were done; 0 where nothing waited."""
    seen = [(task, task.waits) for task in metagraph.tasks() if task.waits]
    waited = sum(w.n * w.waiting_s for _, w in seen)
    delayed = sum(w.n * task.delay.default.law.mean() for task, w in seen if task.delay)
    return float(delayed / waited) if waited > 0 else 0.0


def capacity_text(capacity: int) -> str:
    """How many items at once."""
    return "any number" if capacity >= UNLIMITED else f"{capacity:,}"


def learned_from(metagraph: Metagraph) -> str:
    """The part of the log that the laws were fitted to: 'last half (the last 410 of 820 cases)'."""
    origin = metagraph.provenance
    if origin is None:
        return ""
    chosen = [
        c.name for choice in origin.choices if choice.what == WINDOW for c in choice.candidates if c.chosen
    ]
    told = origin.facts.get("window", "")
    return " ".join(filter(None, (*chosen[:1], f"({told})" if chosen and told else told)))


def delay_text(delay: DelayTable) -> str:
    """Mean and law of a delay, whether it is paced, and what it is counted from."""
    paced = "; paced" if delay.pace else ""
    since = " after the release" if delay.since == "release" else ""
    return f"{mean_text(delay.default)}{since}, {law_name(delay.default.law)}{paced}"


def arrivals_text(arrivals: Arrivals) -> str:
    """How many orders come, and how evenly."""
    week = "an ordinary week" if arrivals.level is None else "a week at the end of the log"
    weekly = f"{number(sum(arrivals.rates_per_h))} orders arrive in {week}"
    days = (
        f"some days are busier than others, by {percent(sqrt(arrivals.dispersion))} beyond chance"
        if arrivals.dispersion > 0
        else "days differ no more than by chance"
    )
    text = f"{weekly} ({arrivals.n:,} observed); {days}."
    if arrivals.gap:
        draws = arrivals.gap.law.ppf((np.arange(2000) + 0.5) / 2000)
        spread = float(draws.std() / draws.mean())
        steady = f"gaps vary by {percent(spread)} of their mean, not by 100 %"
        text += f" They come more steadily than by chance: {steady}."
    if arrivals.batches:
        alone, mean = arrivals.batches[0], arrivals.orders_at_once()
        text += f" {percent(1 - alone)} of arrivals bring several orders at once, {mean:.2f} on average."
    if arrivals.holidays:
        usual = f"{percent(arrivals.on_holidays)} of the usual" if arrivals.on_holidays else "none"
        text += f" On {len(arrivals.holidays)} holidays {usual} come."
    if arrivals.level is not None:
        text += _level_text(arrivals.level)
    return text + (f" Known from {arrivals.note}." if arrivals.note else "")


def _level_text(level: ArrivalLevel) -> str:
    """Where the weekly number of orders goes."""
    text = ""
    if abs(level.trend_per_week) >= TOLD:
        way = "grow" if level.trend_per_week > 0 else "fall"
        text += f" They {way} by {percent(abs(exp(level.trend_per_week) - 1))} a week at its end."
    if abs(level.settles - 1) >= TOLD:
        text += f" Their number is expected to go to {percent(level.settles)} of that."
    if level.week_sd >= TOLD:
        kept = f", of which {percent(level.memory)} are left a week later" if level.memory else ""
        text += f" Weeks differ by about {percent(level.week_sd)}{kept}."
    if level.drift_sd >= TOLD:
        text += f" Forecasts reckon with {percent(level.drift_sd)} more or fewer each week, for good."
    return text


def endings_text(metagraph: Metagraph) -> str:
    """The sequences of last activities that say more than the last one alone."""
    endings = metagraph.closing.endings if metagraph.closing else ()
    return ", ".join(f"{' → '.join(e.after)} {percent(e.share)}" for e in endings)


def gateway_names(metagraph: Metagraph) -> dict[str, str]:
    """A name for each gateway that chooses; alike ones are numbered in the order in which they are met."""
    names = {routing.node: gateway_text(metagraph, routing.node) for routing in metagraph.routing}
    met = [node for node in _in_order(metagraph) if node in names]
    for name in set(names.values()):
        alike = [node for node in met if names[node] == name]
        if len(alike) > 1:
            names |= {node: f"{name}, choice {i} of {len(alike)}" for i, node in enumerate(alike, 1)}
    return names


def _in_order(metagraph: Metagraph) -> list[str]:
    """Node ids by their distance from the start."""
    following = metagraph.outgoing()
    order = dict.fromkeys(node.id for node in metagraph.nodes if node.kind == "start")
    queue = list(order)
    while queue:
        fresh = [f.target for f in following[queue.pop(0)] if f.target not in order]
        order |= dict.fromkeys(fresh)
        queue += dict.fromkeys(fresh)
    return list(order)
