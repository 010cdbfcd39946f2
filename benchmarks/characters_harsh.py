"""Logs as people keep them: stamps by day, sessions, timeouts, breaks, few cases, new activities.

Drawn case by case, without the engines of the program, so that a log may hold what no metagraph can say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

MINUTE, HOUR, DAY, WEEK = 60.0, 3600.0, 86400.0, 604800.0
START = datetime(2024, 1, 1, tzinfo=UTC)
"""A Monday."""
OFFICE = (8.0, 17.0)
ALWAYS = (0.0, 24.0)
Row = tuple[str, str, str, float, float]


@dataclass(slots=True)
class Case:
    """One case as it goes on: where it is in time, in seconds after START by the clock on the wall."""

    name: str
    at_s: float
    draw: np.random.Generator
    rows: list[Row] = field(default_factory=list)

    def do(
        self,
        activity: str,
        who: Sequence[str] = ("",),
        after: float = 0.0,
        work: float = 0.0,
        hours: tuple[float, float] = OFFICE,
        days: Sequence[int] = range(5),
        spread: float = 0.9,
    ) -> None:
        """An execution: `after` and `work` are medians of lognormals in seconds, 0: at once."""
        wait = float(self.draw.lognormal(np.log(after), spread)) if after else 0.0
        self.at_s = opens(self.at_s + wait, hours, days)
        took = float(self.draw.lognormal(np.log(work), 0.7)) if work else 0.0
        agent = str(who[int(self.draw.integers(len(who)))])
        self.rows.append((self.name, activity, agent, self.at_s, self.at_s + took))
        self.at_s += took

    def chance(self, p: float) -> bool:
        """Whether something of probability p happens."""
        return bool(self.draw.random() < p)


def opens(t: float, hours: tuple[float, float], days: Sequence[int]) -> float:
    """The first instant from t on within these hours of these weekdays."""
    while True:
        day, hour = int(t // DAY), t % DAY / HOUR
        if day % 7 in days and hour < hours[1]:
            return t if hour >= hours[0] else day * DAY + hours[0] * HOUR
        t = (day + 1) * DAY + hours[0] * HOUR


def people(name: str, n: int) -> list[str]:
    """So many agents of a kind."""
    return [f"{name} {i + 1}" for i in range(n)]


def arrivals(
    draw: np.random.Generator, weeks: float, per_week: Callable[[float], float], days: int = 5
) -> list[float]:
    """Instants by day at a rate that varies with the week, from 8 to 17 h."""
    found: list[float] = []
    for day in range(int(weeks * 7)):
        if day % 7 < days:
            n = draw.poisson(per_week(day / 7) / days)
            found += sorted(day * DAY + (8 + 9 * draw.random(n)) * HOUR)
    return found


def exams(draw: np.random.Generator) -> Iterator[Row]:
    """Two years of a course: registered within two weeks a semester, examined on three days, results at once
    for all; nothing in the holidays, no agents, stamps by day."""
    number = 0
    for semester in range(8):
        begin = semester * 13 * WEEK
        for _ in range(int(draw.normal(130, 15))):
            case = Case(f"s{number}", begin + float(draw.beta(1, 3)) * 14 * DAY, draw)
            number += 1
            case.do("Register", days=range(7))
            for _ in range(int(draw.poisson(3))):
                case.do("Submit sheet", after=9 * DAY, spread=0.4, days=range(7))
            for attempt, at in enumerate((8.0, 10.0, 12.0)):
                case.at_s = begin + at * WEEK + 10 * HOUR
                case.do("Exam", days=range(7))
                case.at_s = begin + (at + 0.9) * WEEK
                good = case.chance(0.6 + 0.1 * attempt)
                case.do("Passed" if good else "Failed")
                if good or case.chance(0.2):
                    break
            yield from ((c, a, r, s // DAY * DAY, e // DAY * DAY) for c, a, r, s, e in case.rows)


def travel(draw: np.random.Generator) -> Iterator[Row]:
    """Permits and claims of travellers: instants, roles for people, a summer without travel, payments by a
    system on Mondays and Thursdays at half past five."""
    for i, at in enumerate(arrivals(draw, 90, lambda w: 4 if 26 <= w % 52 < 34 else 25)):
        case = Case(f"t{i}", at, draw)
        case.do("Permit SUBMITTED by EMPLOYEE", ("STAFF MEMBER",), hours=(6, 24), days=range(7))
        case.do("Permit APPROVED by ADMINISTRATION", ("STAFF MEMBER",), 5 * HOUR)
        if case.chance(0.2):
            case.do("Permit APPROVED by BUDGET OWNER", ("STAFF MEMBER",), 20 * HOUR)
        case.do("Permit FINAL_APPROVED by SUPERVISOR", ("STAFF MEMBER",), 15 * HOUR)
        case.at_s = (case.at_s // DAY + int(draw.gamma(2, 14))) * DAY
        case.do("Start trip", ("STAFF MEMBER",), hours=ALWAYS, days=range(7))
        case.at_s += (1 + int(draw.geometric(0.25))) * DAY
        case.do("End trip", ("STAFF MEMBER",), hours=ALWAYS, days=range(7))
        while case.chance(0.9):
            case.do("Declaration SUBMITTED by EMPLOYEE", ("STAFF MEMBER",), 6 * DAY, spread=1.1)
            if not case.chance(0.12):
                break
            case.do("Declaration REJECTED", ("STAFF MEMBER",), 30 * HOUR)
        else:
            if case.chance(0.5):
                case.do("Send Reminder", ("SYSTEM",), 30 * DAY, spread=0.2)
            yield from case.rows
            continue
        case.do("Declaration FINAL_APPROVED by SUPERVISOR", ("STAFF MEMBER",), 30 * HOUR)
        case.do("Request Payment", ("SYSTEM",), 20 * HOUR)
        case.do("Payment Handled", ("SYSTEM",), days=(0, 3), hours=(17.5, 17.6))
        yield from case.rows


def loans(draw: np.random.Generator) -> Iterator[Row]:
    """A bank: half of the entries are a system's and instantaneous, silent customers are cancelled after 30
    days to the hour, calls are repeated, a new step begins half way."""
    staff, auto = people("User", 40), ("User_1",)
    for i, at in enumerate(arrivals(draw, 26, lambda w: 60, 7)):
        case = Case(f"l{i}", at, draw)
        case.do("A_Create Application", auto, hours=ALWAYS, days=range(7))
        case.do("A_Submitted", auto, hours=ALWAYS, days=range(7))
        if case.chance(0.5):
            case.do("W_Handle leads", staff, 2 * HOUR, 8 * MINUTE, (8, 21), range(6))
        case.do("A_Concept", auto, hours=ALWAYS, days=range(7))
        case.do("W_Complete application", staff, 18 * HOUR, 12 * MINUTE, (8, 21), range(6))
        case.do("A_Accepted", staff, hours=ALWAYS, days=range(7))
        for _ in range(1 + int(case.chance(0.25))):
            case.do("O_Create Offer", staff, 30, hours=ALWAYS, days=range(7))
            case.do("O_Sent", staff, 30, hours=ALWAYS, days=range(7))
        sent = case.at_s
        while case.chance(0.55):
            case.do("W_Call after offers", staff, 3 * DAY, 3 * MINUTE, (8, 21), range(6), 0.6)
        if case.chance(0.33) or case.at_s > sent + 30 * DAY:
            case.at_s = max(sent + 30 * DAY, case.at_s)
            case.do("A_Cancelled", auto, hours=ALWAYS, days=range(7))
            case.do("O_Cancelled", auto, hours=ALWAYS, days=range(7))
            yield from case.rows
            continue
        case.do("O_Returned", staff, 7 * DAY, 2 * MINUTE, spread=0.6)
        if at > 9 * WEEK:
            case.do("W_Assess fraud", staff[:4], 10 * HOUR, 20 * MINUTE)
        case.do("W_Validate application", staff, 20 * HOUR, 20 * MINUTE)
        while case.chance(0.45):
            case.do("W_Call incomplete files", staff, 2 * DAY, 6 * MINUTE, (8, 21), range(6), 1.3)
            case.do("W_Validate application", staff, 20 * HOUR, 20 * MINUTE)
        case.do("A_Denied" if case.chance(0.15) else "A_Pending", staff, hours=ALWAYS, days=range(7))
        yield from case.rows


def orders(draw: np.random.Generator) -> Iterator[Row]:
    """Order lines of purchasing: one person writes dozens at once, suppliers' entries have dates only, bills
    are cleared in a run at the end of the month, the person is missing in a third of the lines."""
    clerks, number = people("user", 25), 0
    for at in arrivals(draw, 48, lambda w: 7):
        for _ in range(int(draw.geometric(0.2))):
            case = Case(f"o{number}", at, draw)
            number += 1
            if case.chance(0.3):
                case.do("Create Requisition", ("batch_00",), hours=ALWAYS)
            case.do("Create Order Line", clerks, 30 * MINUTE, spread=0.2)
            while case.chance(0.2):
                case.do("Change Quantity", clerks, 2 * DAY)
            if case.chance(0.9):
                case.do("Goods Receipt", ("", *clerks[:3]), 20 * DAY, spread=0.8)
                while case.chance(0.15):
                    case.do("Goods Receipt", ("", *clerks[:3]), 10 * DAY)
            invoice = case.at_s - (10 * DAY if case.chance(0.2) else 0)
            case.rows.append((case.name, "Vendor creates invoice", "", *(2 * (invoice // DAY * DAY,))))
            case.do("Record Invoice", clerks[3:9], 8 * DAY)
            if case.chance(0.2):
                case.do("Remove Payment Block", clerks[9:12], 12 * DAY)
            if case.chance(0.93):
                month = case.at_s // (30.44 * DAY) + 1
                case.at_s = month * 30.44 * DAY + 2 * HOUR
                case.do("Clear Invoice", ("batch_01",), hours=ALWAYS, days=range(7))
            yield from case.rows


def workshop(draw: np.random.Generator, cases: int = 230) -> Iterator[Row]:
    """Jobs on named machines: many variants, rework, work that goes on for days, split into pieces."""
    machines = [f"Machine {i + 1}" for i in range(14)]
    kinds = ("Turning", "Milling", "Grinding", "Lapping", "Wire cut", "Round grinding", "Flat grinding")
    routes = [draw.permutation(14)[: int(draw.integers(3, 9))] for _ in range(40)]
    for i, at in enumerate(sorted(draw.random(cases) * 14 * WEEK)):
        case = Case(f"j{i}", opens(at, (7, 23), range(6)), draw)
        for m in routes[int(draw.integers(40))]:
            label = f"{kinds[m % 7]} - {machines[m]}"
            for _ in range(int(draw.geometric(0.55))):
                case.do(label, (f"W{int(draw.integers(20))}",), 9 * HOUR, 3 * HOUR, (7, 23), range(6), 1.4)
            if case.chance(0.4):
                case.do("Quality check", people("QC", 4), 12 * HOUR, 30 * MINUTE, (7, 23), range(6), 1.2)
        case.do("Packing", ("P1", "P2"), 20 * HOUR, HOUR)
        yield from case.rows


def callouts(draw: np.random.Generator, cases: int = 150) -> Iterator[Row]:
    """Few calls for service, each open for weeks to months of a log of two years; nobody works for three
    weeks of July; an activity ceases in spring and another begins."""
    crew = people("Tech", 9)
    for i, at in enumerate(sorted(draw.random(cases) * 90 * WEEK)):
        case = Case(f"c{i}", at, draw)
        case.do("Call", ("Desk",), work=9 * MINUTE)
        case.do("Fax to site" if at < 30 * WEEK else "Ticket to site", ("Desk",), 3 * HOUR, 4 * MINUTE)
        for _ in range(int(draw.geometric(0.4))):
            if case.chance(0.4):
                case.do("Order part", crew[:2], 8 * HOUR)
                case.do("Part there", ("",), 10 * DAY, spread=0.7)
            case.do("Visit", crew, 6 * DAY, 2 * HOUR, spread=0.9)
            if 27 * WEEK <= case.at_s % (52 * WEEK) < 30 * WEEK:
                case.at_s += 3 * WEEK
        case.do("Bill", ("Office",), 5 * DAY, 6 * MINUTE)
        yield from case.rows


def slow(draw: np.random.Generator) -> Iterator[Row]:
    """A year in which every case takes three to five months."""
    for i, at in enumerate(arrivals(draw, 50, lambda w: 6)):
        case = Case(f"x{i}", at, draw)
        case.do("Apply", ("Desk",), work=10 * MINUTE)
        for stage in ("First hearing", "Second hearing", "Ruling"):
            case.do(stage, people("Judge", 3), 36 * DAY, HOUR, spread=0.15)
        yield from case.rows


LOGS: Mapping[str, Callable[[np.random.Generator], Iterator[Row]]] = {
    "exams": exams,
    "travel": travel,
    "loans": loans,
    "orders": orders,
    "workshop": workshop,
    "callouts": callouts,
    "slow": slow,
}

FOLLOWED = frozenset({"exams", "travel", "slow"})
"""Logs that end when their last case does; the others hold what was over when the last case began."""


def log_of(name: str, seed: int = 1, zone: str = "Europe/Zurich") -> pd.DataFrame:
    """COLUMNS of twin/frames.py; what was drawn is the time on the wall in that zone."""
    import pandas as pd

    rows = list(LOGS[name](np.random.default_rng([seed, *name.encode()])))
    log = pd.DataFrame(rows, columns=["case_id", "activity", "resource", "start_time", "end_time"])
    for column in ("start_time", "end_time"):
        wall = [START.replace(tzinfo=ZoneInfo(zone)) + timedelta(seconds=round(s)) for s in log[column]]
        log[column] = pd.to_datetime([instant.astimezone(UTC) for instant in wall], utc=True)
    return log.sort_values(["start_time", "case_id"], kind="stable").reset_index(drop=True)
