"""The processes of benchmarks/characters.py: a bank, a factory, field service, a university, purchasing."""

from __future__ import annotations

from benchmarks.known_twins import (
    DAY,
    HOUR,
    WEEKDAYS,
    Plan,
    Role,
    Work,
    gamma,
    lognormal,
    rates,
    twin_of,
    week,
)
from metagraph.batches import Batch
from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel, skeleton
from metagraph.blocks import Sequence as Row
from metagraph.calendars import ALWAYS
from metagraph.distributions import Constant, Fitted
from metagraph.model import Metagraph
from metagraph.orders import Arrivals

MINUTE = 60.0
INSTANT = Constant(0.0)


def leaf(label: str) -> Leaf:
    return Leaf(label.lower().replace(" ", "_"), label)


def row(*labels: str | Block) -> Row:
    return Row(tuple(leaf(item) if isinstance(item, str) else item for item in labels))


def bank() -> Metagraph:
    """Loan applications: 26 activities, 150 people, much rework and half of the events automatic."""
    shares = {
        "origin": (0.65, 0.35),
        "outcome": (0.55, 0.33, 0.12),
        "sent": (0.9, 0.1),
        "valid": (0.75, 0.25),
    }
    again = {"leads": 0.5, "complete": 0.8, "calls": 0.8, "validate": 0.77, "files": 0.82, "offers": 0.3}
    block = row(
        "A_Create Application",
        Choice("origin", "origin_end", (leaf("A_Submitted"), Empty())),
        _again("leads", row("W_Handle leads", "W_Handle leads paused")),
        "A_Concept",
        "A_Accepted",
        _again(
            "offers",
            row(
                "O_Create Offer",
                "O_Created",
                Choice("sent", "sent_end", (leaf("O_Sent (mail and online)"), leaf("O_Sent (online only)"))),
            ),
        ),
        _again("complete", row("W_Complete application", "W_Complete application paused")),
        "A_Complete",
        _again("calls", row("W_Call after offers", "W_Call after offers paused")),
        Choice(
            "valid",
            "valid_end",
            (
                row(
                    "A_Validating",
                    "O_Returned",
                    _again("validate", row("W_Validate application")),
                    _again("files", row("W_Call incomplete files")),
                    "A_Incomplete",
                ),
                Empty(),
            ),
        ),
        Choice(
            "outcome",
            "outcome_end",
            (row("A_Pending", "O_Accepted"), row("A_Cancelled", "O_Cancelled"), row("A_Denied", "O_Refused")),
        ),
    )
    work = {
        label: Work(INSTANT, "system")
        for label in _labels(block)
        if not label.startswith("W_") or label.endswith("paused")
    }
    long = lognormal(9 * MINUTE, 1.0)
    work |= {
        "W_Handle leads": Work(long, "front office"),
        "W_Complete application": Work(long, "front office", lognormal(5 * HOUR, 1.2)),
        "W_Call after offers": Work(lognormal(4 * MINUTE, 1.0), "front office", lognormal(20 * HOUR, 1.2)),
        "W_Validate application": Work(long, "back office"),
        "W_Call incomplete files": Work(lognormal(6 * MINUTE, 0.8), "back office", lognormal(9 * HOUR, 1.0)),
    }
    roles = {
        "system": Role(1, "always", 500),
        "front office": Role(90, "day"),
        "back office": Role(59, "day"),
    }
    hours = {"always": ALWAYS, "day": (*week(WEEKDAYS, (8, 20)), *week((5,), (9, 15)))}
    weights = shares | {f"{name}_end": (p, 1 - p) for name, p in again.items()}
    plan = Plan("bank", block, work, roles, hours, weights)
    return twin_of(plan, Arrivals(rates(535, week(range(7), (7, 23)), 1.1), dispersion=0.03))


def factory() -> Metagraph:
    """Parts on machines around the clock, with rework, lots that are washed at once, and packing by day."""
    block = row(
        "Turning",
        Choice("mill", "milled", (leaf("Milling"), leaf("Laser marking"), Empty())),
        _again("grind", row("Grinding", "Inspection")),
        Parallel("finish", "finished", (leaf("Washing"), row("Coating", "Curing"))),
        "Final inspection",
        "Packing",
    )
    long = {"Turning": 150, "Milling": 210, "Laser marking": 20, "Grinding": 75, "Coating": 40}
    work = {label: Work(lognormal(m * MINUTE, 0.5), label) for label, m in long.items()}
    work |= {
        "Inspection": Work(gamma(12 * MINUTE, 3.0), "Quality"),
        "Final inspection": Work(gamma(18 * MINUTE, 3.0), "Quality"),
        "Washing": Work(Constant(40 * MINUTE), "Washer", batch=_lots(6)),
        "Curing": Work(Constant(6 * HOUR)),
        "Packing": Work(gamma(9 * MINUTE, 2.0), "Packers"),
    }
    roles = {
        "Turning": Role(3, "always"),
        "Milling": Role(2, "always"),
        "Laser marking": Role(1, "always"),
        "Grinding": Role(2, "two shifts"),
        "Coating": Role(1, "two shifts"),
        "Washer": Role(1, "always"),
        "Quality": Role(2, "two shifts"),
        "Packers": Role(2, "day"),
    }
    hours = {
        "always": ALWAYS,
        "two shifts": (*week(WEEKDAYS, (6, 22)), *week((5,), (6, 14))),
        "day": week(WEEKDAYS, (7, 15)),
    }
    weights = {"mill": (0.5, 0.2, 0.3), "grind_end": (0.18, 0.82)}
    plan = Plan("factory", block, work, roles, hours, weights)
    return twin_of(plan, Arrivals(rates(70, week(WEEKDAYS, (0, 24)), 1.2), dispersion=0.1))


def field() -> Metagraph:
    """Repairs at the customer's: calls all day, appointments days ahead, parts that must come."""
    parts = Choice("parts", "parts_end", (row("Parts ordered", "Parts arrived"), Empty()))
    visits = _again("again", row("Appointment made", parts, "Visit"))
    block = row(
        "Call taken",
        Choice("remote", "remote_end", (leaf("Solved by phone"), visits)),
        "Case closed",
        Choice("survey", "surveyed", (leaf("Survey answered"), Empty())),
    )
    work = {
        "Call taken": Work(lognormal(8 * MINUTE, 0.6), "Desk"),
        "Solved by phone": Work(lognormal(20 * MINUTE, 0.6), "Desk"),
        "Appointment made": Work(lognormal(4 * MINUTE, 0.4), "Planner", lognormal(3 * HOUR, 0.8)),
        "Parts ordered": Work(INSTANT, "Planner"),
        "Parts arrived": Work(INSTANT, None, gamma(3.5 * DAY, 6.0)),
        "Visit": Work(lognormal(75 * MINUTE, 0.5), "Technician", gamma(2.2 * DAY, 5.0)),
        "Case closed": Work(INSTANT, "Planner", lognormal(8 * HOUR, 1.0)),
        "Survey answered": Work(INSTANT, None, lognormal(2 * DAY, 1.0)),
    }
    roles = {"Desk": Role(4, "long"), "Planner": Role(2, "office", 3), "Technician": Role(14, "field")}
    hours = {
        "long": (*week(WEEKDAYS, (7, 21)), *week((5, 6), (9, 17))),
        "office": week(WEEKDAYS, (8, 12), (13, 17)),
        "field": week(WEEKDAYS, (8, 16)),
    }
    weights = {
        "remote": (0.3, 0.7),
        "parts": (0.35, 0.65),
        "again_end": (0.15, 0.85),
        "survey": (0.25, 0.75),
    }
    plan = Plan("field", block, work, roles, hours, weights)
    return twin_of(plan, Arrivals(rates(180, week(range(7), (7, 21)), 1.4), dispersion=0.05))


def university() -> Metagraph:
    """Requests of students: hundreds of people who appear a few times each, mostly instantaneous entries."""
    block = row(
        "Request entered",
        Choice("complete", "completed", (Empty(), row("Documents asked for", "Documents sent"))),
        "Forwarded",
        Parallel("views", "viewed", (leaf("Opinion of department"), leaf("Check of credits"))),
        Choice("decided", "told", (leaf("Granted"), leaf("Refused"), row("Council", "Decision of council"))),
        "Student informed",
    )
    work = {
        "Request entered": Work(INSTANT, "Students"),
        "Documents asked for": Work(lognormal(6 * MINUTE, 0.6), "Office", lognormal(9 * HOUR, 0.8)),
        "Documents sent": Work(INSTANT, "Students", lognormal(4 * DAY, 1.1)),
        "Forwarded": Work(INSTANT, "Office", lognormal(14 * HOUR, 0.9)),
        "Opinion of department": Work(INSTANT, "Professors", lognormal(6 * DAY, 1.0)),
        "Check of credits": Work(lognormal(25 * MINUTE, 0.8), "Office"),
        "Granted": Work(INSTANT, "Deans", lognormal(2 * DAY, 0.7)),
        "Refused": Work(INSTANT, "Deans", lognormal(2 * DAY, 0.7)),
        "Council": Work(Constant(30 * MINUTE), "Deans", gamma(12 * DAY, 4.0)),
        "Decision of council": Work(INSTANT, "Deans"),
        "Student informed": Work(INSTANT),
    }
    roles = {
        "Students": Role(400, "always"),
        "Office": Role(5, "mornings"),
        "Professors": Role(140, "office"),
        "Deans": Role(6, "office"),
    }
    hours = {"always": ALWAYS, "mornings": week(WEEKDAYS, (8, 13)), "office": week(WEEKDAYS, (9, 17))}
    weights = {"complete": (0.7, 0.3), "decided": (0.6, 0.15, 0.25)}
    plan = Plan("university", block, work, roles, hours, weights)
    return twin_of(plan, Arrivals(rates(45, week(range(7), (8, 24)), 1.3), dispersion=0.3))


def purchasing() -> Metagraph:
    """Purchases that wait for suppliers for weeks; few people approve; bills are paid on Thursdays."""
    goods = row("Goods received", "Quality checked")
    block = row(
        "Requisition",
        _again("approve", row("Approval", Choice("size", "sized", (Empty(), leaf("Second approval"))))),
        Choice("known", "offered", (leaf("Frame contract"), row("Quotes requested", "Quotes compared"))),
        "Order sent",
        Parallel("deliver", "delivered", (goods, row("Invoice received", "Invoice entered"))),
        Choice("match", "matched", (Empty(), leaf("Difference settled"))),
        "Paid",
    )
    work = {
        "Requisition": Work(lognormal(15 * MINUTE, 0.6), "Requesters"),
        "Approval": Work(lognormal(4 * MINUTE, 0.8), "Managers", lognormal(20 * HOUR, 0.9)),
        "Second approval": Work(lognormal(4 * MINUTE, 0.8), "Directors", lognormal(40 * HOUR, 0.9)),
        "Frame contract": Work(lognormal(6 * MINUTE, 0.5), "Buyers"),
        "Quotes requested": Work(lognormal(20 * MINUTE, 0.5), "Buyers"),
        "Quotes compared": Work(lognormal(50 * MINUTE, 0.5), "Buyers", gamma(8 * DAY, 5.0)),
        "Order sent": Work(lognormal(9 * MINUTE, 0.5), "Buyers"),
        "Goods received": Work(lognormal(12 * MINUTE, 0.5), "Stores", gamma(24 * DAY, 3.0)),
        "Quality checked": Work(lognormal(30 * MINUTE, 0.6), "Stores"),
        "Invoice received": Work(INSTANT, None, gamma(28 * DAY, 4.0)),
        "Invoice entered": Work(lognormal(7 * MINUTE, 0.5), "Clerks"),
        "Difference settled": Work(lognormal(45 * MINUTE, 0.7), "Clerks", gamma(6 * DAY, 3.0)),
        "Paid": Work(INSTANT, "Clerks", batch=Batch("sequential", times=(3 * DAY + 10 * HOUR,))),
    }
    roles = {
        "Requesters": Role(60, "office"),
        "Managers": Role(9, "office"),
        "Directors": Role(2, "mornings"),
        "Buyers": Role(5, "office"),
        "Stores": Role(4, "early"),
        "Clerks": Role(3, "mornings"),
    }
    hours = {
        "office": week(WEEKDAYS, (8, 12), (13, 17)),
        "mornings": week(range(4), (9, 13)),
        "early": week(WEEKDAYS, (6, 14)),
    }
    weights = {"approve_end": (0.1, 0.9), "size": (0.75, 0.25), "known": (0.6, 0.4), "match": (0.8, 0.2)}
    plan = Plan("purchasing", block, work, roles, hours, weights)
    return twin_of(plan, Arrivals(rates(40, week(WEEKDAYS, (8, 17)), 1.2), dispersion=0.05))


def _lots(size: int) -> Batch:
    """So many at once; no longer than four hours does the first one wait."""
    return Batch("simultaneous", Fitted(Constant(float(size)), 0, "human"), wait_s=4 * HOUR)


def _again(name: str, body: Block) -> Loop:
    return Loop(name, f"{name}_end", body, (Empty(),))


def _labels(block: Block) -> list[str]:
    return [label for _, label in skeleton(block).tasks]
