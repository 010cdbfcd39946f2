"""When a controller is asked: at arrivals, periodically, at given instants, when something is announced."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

import numpy as np

from metagraph.errors import UsageError
from simulation.session import Session

Trigger = Literal["arrival", "period", "instant", "eta"]


@dataclass(frozen=True, slots=True)
class Announcement:
    """When an order's task ends (a task without queues) or can begin (others)."""

    order: str
    task: str
    """Id of the task's node."""
    eta_s: float


@dataclass(frozen=True, slots=True)
class News:
    """What is announced from outside, whoever controls the run."""

    at_s: float
    """When it becomes known, and counts."""
    announcement: Announcement


@dataclass(frozen=True, slots=True)
class Control:
    """When the controller is asked."""

    on_arrival: bool = True
    """When orders have arrived."""
    every_s: float | None = None
    """Each time that so much has passed since the run's beginning."""
    at_s: tuple[float, ...] = ()
    """At these instants: disturbances, announcements; and whatever else the caller knows of."""
    news: tuple[News, ...] = ()
    """When one of them has changed what is known of an order that stands at its task; others change nothing,
    and nobody is asked."""


class Triggers:
    """When the controller is to be asked, and why."""

    def __init__(self, session: Session, control: Control) -> None:
        begin_s = session.now_s
        if control.every_s is not None and not control.every_s > 0:
            raise UsageError(f"control every {control.every_s:g} s: give a time above 0")
        for what, instants in (("control", control.at_s), ("news", [one.at_s for one in control.news])):
            if any(not t >= begin_s for t in instants):
                raise UsageError(
                    f"{what} at {min(instants):g} s, before the run's beginning at {begin_s:g} s: "
                    "give later instants"
                )
        release_s = session.program.orders.table["release_s"][len(session.program.standing) :]
        arrivals = np.unique(release_s[release_s >= begin_s]) if control.on_arrival else np.zeros(0)
        self._given: dict[Trigger, list[float]] = {
            "arrival": arrivals[::-1].tolist(),
            "instant": sorted(set(control.at_s), reverse=True),
        }
        self._news = sorted(control.news, key=lambda one: one.at_s, reverse=True)
        self._begin_s = begin_s
        self._every_s = control.every_s
        self._periods = 1

    def next_s(self) -> float:
        return min(
            [
                inf if self._every_s is None else self._period_s(),
                *(t[-1] for t in self._given.values() if t),
                *(one.at_s for one in self._news[-1:]),
            ]
        )

    def take_news(self, now_s: float) -> list[News]:
        """What becomes known at this instant, or did before; it won't again."""
        found = []
        while self._news and self._news[-1].at_s <= now_s:
            found.append(self._news.pop())
        return found

    def take(self, now_s: float) -> set[Trigger]:
        """What triggers at this instant; it won't again."""
        found: set[Trigger] = set()
        for name, instants in self._given.items():
            while instants and instants[-1] <= now_s:
                instants.pop()
                found.add(name)
        while self._every_s is not None and self._period_s() <= now_s:
            self._periods += 1
            found.add("period")
        return found

    def _period_s(self) -> float:
        assert self._every_s is not None
        return self._begin_s + self._periods * self._every_s
