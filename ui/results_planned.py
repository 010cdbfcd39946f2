"""What `tracetwin optimize` and `tracetwin schedule check` show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from twin.planned_words import believed_text, better_text, decided_text, levels_text, moment, sentence
from twin.words import number, percent, span
from ui.console import MOST_ROWS, as_json, more, say, show_table

if TYPE_CHECKING:
    from twin.planned import Planned, PlannedOrder
    from twin.schedule_checks import CheckedSchedule


def show_planned(found: Planned, json_wanted: bool, written: Sequence[Path] = ()) -> None:
    """What was decided, why it is to be believed, and what was assumed."""
    if json_wanted:
        as_json(found)
        return
    say(f"{found.name}, {moment(found, found.at, whole=True)}: {decided_text(found)}")
    _orders(found)
    _agents(found)
    _rules(found)
    _robust(found)
    for explanation in found.explanations:
        say(explanation.text)
    say(believed_text(found))
    for note in found.notes:
        say(sentence(note))
    for path in written:
        say(f"Written: {path}")


def _orders(found: Planned) -> None:
    if not found.orders:
        return
    rows = [_order(found, one) for one in found.orders[:MOST_ROWS]]
    columns = ("order", "class", "stands", "done", "due", "lost after", "slack", "profit", "at best")
    show_table(f"Orders, {levels_text(found)}", columns, rows, (0, 1, 2))
    more(len(found.orders))
    left = [one.order for one in found.orders if one.delivered is None]
    if left and len(found.orders) > MOST_ROWS:
        names = ", ".join(left[:MOST_ROWS]) + (" …" if len(left) > MOST_ROWS else "")
        say(f"Not delivered within the horizon: {names}.")


def _order(found: Planned, one: PlannedOrder) -> tuple[str, ...]:
    def at(moment_: datetime | None) -> str:
        return "" if moment_ is None else moment(found, moment_)

    money = found.units.get("profit") == "money" or any(o.profit is not None for o in found.orders)
    return (
        one.order,
        " ".join(filter(None, (one.cls, one.segment))),
        one.standing,
        at(one.delivered) or "–",
        at(one.due),
        at(one.lost),
        "" if one.slack_h is None else span(3600 * one.slack_h),
        "" if not money or one.profit is None else number_of_money(one.profit),
        "" if one.at_best is None else number_of_money(one.at_best),
    )


def number_of_money(value: float) -> str:
    """An amount without cents where it is large."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:,.2f}"


def _agents(found: Planned) -> None:
    rows = [
        (
            one.agent,
            str(one.tasks),
            f"{number(one.busy_h)} h",
            f"{number(one.there_h)} h",
            percent(one.busy_h / one.there_h) if one.there_h > 0 else "–",
            "bought" if one.bought else "",
        )
        for one in sorted(found.agents, key=lambda one: (-one.busy_h, one.agent))[:MOST_ROWS]
    ]
    if rows:
        columns = ("agent", "tasks", "busy", "there", "share", "")
        show_table("Agents, from now to the end of the plan", columns, rows, (0, 5))
        more(len(found.agents))


def _rules(found: Planned) -> None:
    """What rules would have done, on the levels that count."""
    if not found.rules:
        return
    names = list(found.values)
    rows = [
        (one, *(_counted(found, name, values[name]) for name in names), _share(on_time))
        for one, values, on_time in (
            ("this plan", found.values, found.on_time),
            *((rule.rule, rule.values, rule.on_time) for rule in found.rules),
        )
    ]
    columns = ("planned by", *(_named(found, name) for name in names), "on time")
    show_table("Beside rules of priority on the same grid", columns, rows)
    if text := better_text(found):
        say(text)


def _robust(found: Planned) -> None:
    """What came of it, and of others, in simulated scenarios."""
    if found.robust is None:
        return
    money = found.robust.unit == "money"
    shown = number_of_money if money else number
    rows = [
        (
            one.name + (" (taken)" if one.chosen else ""),
            shown(one.mean),
            f"{shown(one.low)} to {shown(one.high)}",
            ""
            if one.behind is None or one.behind_low is None or one.behind_high is None
            else f"{shown(one.behind)} ({shown(one.behind_low)} to {shown(one.behind_high)})",
            _share(one.on_time),
        )
        for one in found.robust.scores
    ]
    measure = found.robust.measure + ("" if money else " (h)")
    columns = ("schedule", f"mean {measure}", "95 %", "worse by", "on time")
    show_table(f"In the same {found.robust.scenarios} simulated scenarios", columns, rows)


def _counted(found: Planned, name: str, value: float) -> str:
    """Money as it is; hours and interruptions, of which fewer are better, as people count them."""
    if found.units.get(name) == "money":
        return number_of_money(value)
    return number(-value)


def _named(found: Planned, name: str) -> str:
    unit = found.units.get(name, "")
    return f"{name} ({unit})" if unit == "h" else name


def _share(share: float | None) -> str:
    return "" if share is None else percent(share)


def show_checked(found: CheckedSchedule, json_wanted: bool) -> None:
    """What a schedule yields. Raises DataError with every fault if it can't be followed."""
    from twin.schedule_checks import refused

    if json_wanted:
        as_json(found)
    if found.faults:
        raise refused(found)
    if json_wanted:
        return
    rows = [
        (one.order, one.standing, _completed(found, one.completed), _amount(one.profit))
        for one in found.orders[:MOST_ROWS]
    ]
    show_table(f"{found.schedule} for {found.instance}", ("order", "stands", "done", "profit"), rows, (0, 1))
    more(len(found.orders))
    profit = "" if found.profit is None else f", profit {number_of_money(found.profit)}"
    spent = f" (bought hours for {number_of_money(found.spent)} subtracted)" if found.spent else ""
    on_time = "" if found.on_time is None else f", {percent(found.on_time)} on time"
    say(
        f"It can be followed: {found.assignments} assignments of {len(found.orders)} orders"
        f"{profit}{spent}{on_time}."
    )


def _completed(found: CheckedSchedule, at: datetime | None) -> str:
    if at is None:
        return "–"
    if found.hours:
        return f"{number((at - found.at).total_seconds() / 3600)} h"
    return f"{at:%Y-%m-%d %H:%M}"


def _amount(profit: float | None) -> str:
    return "" if profit is None else number_of_money(profit)
