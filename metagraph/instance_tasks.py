"""Tasks, agents and calendars of an instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from metagraph.agents import Absence, Agent, Queue
from metagraph.calendars import ALWAYS, Calendar, CalendarException
from metagraph.distributions import Constant, Distribution, Empirical, Fitted, Parametric, ZeroInflated
from metagraph.faults import listed, shown
from metagraph.json_io import law_reader
from metagraph.json_text import value_of
from metagraph.model import Metagraph
from metagraph.nodes import DelayTable, DurationRow, DurationTable, End, Start, Task
from metagraph.orders import OrderModel, ProfitShape
from metagraph.precedence import Precedence, circle, precedence
from metagraph.records import Record
from metagraph.timelines import TimeLine

HOUR_S = 3600.0
OTHERS = "*"
"""Stands for all classes that aren't named."""
_ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Network:
    """What an instance says of its process."""

    name: str
    tasks: tuple[Task, ...]
    shape: Precedence
    preds: Mapping[str, tuple[str, ...]]
    agents: tuple[Agent, ...]
    queues: tuple[Queue, ...]
    calendars: tuple[Calendar, ...]
    segment_priority: Mapping[str, float]

    def metagraph(self, profit: ProfitShape | None, name: str) -> Metagraph:
        """The process as a metagraph, called `name` if the file doesn't say."""
        shape = self.shape
        return Metagraph(
            name=self.name or name,
            nodes=(Start(shape.start), *self.tasks, *shape.gateways, End(shape.end)),
            flows=shape.flows,
            routing=(),
            agents=self.agents,
            queues=self.queues,
            calendars=self.calendars,
            orders=OrderModel(profit=profit, segment_priority=self.segment_priority),
        )


def read_network(whole: Record, line: TimeLine) -> Network:
    """The process of an instance; faults go to the record."""
    name = whole.text("name", "")
    rows = [*_named(whole, "tasks")]
    if not rows:
        whole.fault("tasks", "none; expected an object of tasks by their ids")
    calendars = [_calendar(row, name, line) for name, row in _named(whole, "calendars")]
    told = {name: _agent(row, name, line) for name, row in _named(whole, "agents")}
    queues: dict[str, Queue] = {}
    preds = {name: row.names("preds") for name, row in rows}
    tasks = tuple(_task(row, name, queues) for name, row in rows)
    called = dict.fromkeys(agent for queue in queues.values() for agent in queue.agents)
    for agent in told:
        if agent not in called:
            whole.fault(f"agents, {agent}", f"does no task; those who do are {listed([*called]) or 'none'}")
    agents = tuple({**{name: Agent(name, _ALWAYS) for name in called}, **told}.values())
    if any(agent.calendar == _ALWAYS for agent in agents) and _ALWAYS not in {c.id for c in calendars}:
        calendars.append(Calendar(_ALWAYS))
    priority = {
        segment: inner.number(segment, 0.0) or 0.0
        for inner in whole.inner("segment_priority")
        for segment in inner.raw
    }
    shape = _shape(whole, preds)
    return Network(name, tasks, shape, preds, agents, tuple(queues.values()), tuple(calendars), priority)


def _named(record: Record, name: str) -> list[tuple[str, Record]]:
    """The objects of an object."""
    found: list[tuple[str, Record]] = []
    for inner in record.inner(name):
        for key in inner.raw:
            if not key:
                inner.fault("", "an id is empty")
            found += [(key, row) for row in inner.inner(key)]
    return found


def _shape(whole: Record, preds: Mapping[str, tuple[str, ...]]) -> Precedence:
    strangers = False
    for task, found in preds.items():
        for pred in found:
            if pred not in preds:
                strangers = True
                whole.fault(
                    f"tasks, {task}, preds", f"{shown(pred)} is no task; there are {listed([*preds])}"
                )
    around = () if strangers else circle(preds)
    if around:
        ring = " after ".join([*around, around[0]])
        whole.fault("tasks", f"{ring}: tasks that wait for each other never begin; remove one of these preds")
    return precedence({} if strangers or around else preds)


def _task(record: Record, name: str, queues: dict[str, Queue]) -> Task:
    agents = record.names("agents")
    if record.flag("common_queue") and agents:
        groups = [agents]
    else:
        groups = [(agent,) for agent in dict.fromkeys(agents)]
    names = []
    for group in groups:
        queue = ", ".join(group)
        queues.setdefault(queue, Queue(queue, group))
        names.append(queue)
    record.take("preds")
    delay = record.take("delay_h")
    durations = _durations(record)
    for row in durations.rows:
        if row.agent is not None and row.agent not in agents:
            able = listed(agents) or "nobody"
            record.fault("h", f"for {shown(row.agent)}, who doesn't do it; its agents are {able}")
    found = Task(
        id=name,
        label=record.text("label", name),
        durations=durations,
        queues=tuple(names),
        delay=None if delay is None else DelayTable(_fitted(record, delay, "delay_h"), {}),
        preemptible=record.flag("preemptible", bool(agents)),
        cost=record.number("cost", 0.0) or 0.0,
    )
    record.close()
    return found


def _durations(record: Record) -> DurationTable:
    """`h`: one number or law; one a class, with `*` for the others; or rows by class, segment and agent."""
    found = record.take("h")
    if found is None:
        record.fault("h", "missing; expected hours of work, such as 1.5")
    if isinstance(found, list):
        rows = [_row(row) for row in record.items("h")]
    elif isinstance(found, dict) and "kind" not in found:
        rows = [
            DurationRow(_fitted(record, item, f"h, {cls}"), None if cls == OTHERS else cls)
            for cls, item in found.items()
        ]
    else:
        rows = [DurationRow(_fitted(record, 0.0 if found is None else found, "h"))]
    if not any(row.cls is row.segment is row.agent is None for row in rows):
        record.fault("h", f"nothing for all other orders; add {shown(OTHERS)} (in a list: a row of h alone)")
    return DurationTable(tuple(rows))


def _row(record: Record) -> DurationRow:
    cls, segment, agent = (record.text(name, "") or None for name in ("class", "segment", "agent"))
    if not record.has("h"):
        record.fault("h", "missing; expected hours of work, such as 1.5")
    found = DurationRow(_fitted(record, record.take("h") or 0.0, "h"), cls, segment, agent)
    record.close()
    return found


def _fitted(record: Record, found: Any, name: str) -> Fitted:
    """A number of hours, or a law of hours, as a law of seconds."""
    law: Distribution | None = None
    if isinstance(found, dict):
        law = value_of(law_reader(), found, f"{record.where}, {name}", record.faults)
    else:
        hours = record.as_number(found)
        if hours is None:
            record.fault(name, f"{shown(found)}; expected hours, a number or a law")
        elif hours < 0:
            record.fault(name, f"{shown(found)}; work takes no less than 0 hours")
        law = Constant(max(hours or 0.0, 0.0))
    return Fitted(_in_seconds(law or Constant(0.0)), n=0, level="human")


def _in_seconds(law: Distribution) -> Distribution:
    """A law of hours as one of seconds."""
    match law:
        case Constant(value):
            return Constant(HOUR_S * value)
        case Empirical(quantiles):
            return Empirical(tuple(HOUR_S * q for q in quantiles))
        case Parametric(params=params, upper=upper):
            scaled = (*params[:-2], *(HOUR_S * p for p in params[-2:]))
            return replace(law, params=scaled, upper=None if upper is None else HOUR_S * upper)
        case ZeroInflated(p_zero, positive):
            inner = _in_seconds(positive)
            assert not isinstance(inner, ZeroInflated)
            return ZeroInflated(p_zero, inner)


def _agent(record: Record, name: str, line: TimeLine) -> Agent:
    hired_s = record.time("hired", line)
    sharing = record.text("sharing", "parallel")
    if sharing not in ("parallel", "shared"):
        record.fault("sharing", f"{shown(sharing)}; expected parallel or shared")
    found = Agent(
        id=name,
        calendar=record.text("calendar", _ALWAYS),
        role=record.text("role", ""),
        capacity=record.whole("capacity", 1, 1),
        sharing="shared" if sharing == "shared" else "parallel",
        cost_per_h=record.number("cost_per_h", 0.0, 0.0) or 0.0,
        hired=None if hired_s is None else _instant(hired_s, line),
        absences=tuple(_absence(row, line) for row in record.items("absences")),
    )
    record.close()
    return found


def _absence(record: Record, line: TimeLine) -> Absence:
    start_s, end_s = record.needed_time("start", line), record.time("end", line)
    found = Absence(
        start=_instant(start_s, line),
        end=None if end_s is None else _instant(end_s, line),
        hands_over=record.flag("hands_over"),
        note=record.text("note", ""),
    )
    record.close()
    return found


def _calendar(record: Record, name: str, line: TimeLine) -> Calendar:
    """`week_h`: pairs of hours since Monday 00:00 local time."""
    week = record.take("week_h")
    hours = ALWAYS if week is None else ()
    spans = week if isinstance(week, list) else []
    for span in spans:
        pair = [record.as_number(at) for at in span] if isinstance(span, list) else []
        if len(pair) != 2 or pair[0] is None or pair[1] is None:
            record.fault(
                "week_h", f"{shown(span)}; expected a pair of hours since Monday 00:00, like [8, 17]"
            )
            continue
        hours = (*hours, (HOUR_S * pair[0], HOUR_S * pair[1]))
    if week is not None and not isinstance(week, list):
        record.fault("week_h", f"{shown(week)}; expected a list of pairs of hours, like [[8, 17], [32, 41]]")
    found = Calendar(
        id=name,
        hours=hours,
        time_zone=record.text("time_zone", "UTC"),
        holidays=tuple(filter(None, (_day(record, day) for day in record.names("holidays")))),
        exceptions=tuple(_exception(row, line) for row in record.items("exceptions")),
    )
    record.close()
    return found


def _exception(record: Record, line: TimeLine) -> CalendarException:
    start_s, end_s = record.needed_time("start", line), record.needed_time("end", line)
    found = CalendarException(_instant(start_s, line), _instant(end_s, line), record.flag("working"))
    record.close()
    return found


def _day(record: Record, text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        record.fault("holidays", f"{shown(text)}; expected a day like 2026-12-25")
        return None


def _instant(seconds: float, line: TimeLine) -> datetime:
    return line.origin + timedelta(seconds=seconds)
