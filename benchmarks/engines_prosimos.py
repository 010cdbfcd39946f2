"""A metagraph as the BPMN and JSON files that Prosimos reads; only what the loan office needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from metagraph.calendars import Calendar
from metagraph.distributions import Parametric
from metagraph.model import Metagraph
from metagraph.nodes import End, Gateway, Node, Start, Task

_BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
_WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_LONGEST_S = 1e9
"""Prosimos redraws what lies above; nothing does."""


def write(metagraph: Metagraph, releases_s: Sequence[float], folder: Path) -> tuple[Path, Path, Path]:
    """The process, its parameters and the arrivals, in seconds since the first working instant."""
    bpmn, parameters, arrivals = (folder / f"loan.{kind}" for kind in ("bpmn", "json", "arrivals.json"))
    bpmn.write_text(_bpmn(metagraph), encoding="utf-8")
    parameters.write_text(json.dumps(_parameters(metagraph), indent=1), encoding="utf-8")
    arrivals.write_text(json.dumps(list(releases_s)), encoding="utf-8")
    return bpmn, parameters, arrivals


def _bpmn(metagraph: Metagraph) -> str:
    root = ET.Element("definitions", {"xmlns": _BPMN, "targetNamespace": "urn:loan"})
    process = ET.SubElement(root, "process", {"id": "loan", "isExecutable": "false"})
    for node in metagraph.nodes:
        ET.SubElement(process, _element(node), {"id": node.id, "name": _name(node)})
    for flow in metagraph.flows:
        parts = {"id": flow.id, "sourceRef": flow.source, "targetRef": flow.target}
        ET.SubElement(process, "sequenceFlow", parts)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _element(node: Node) -> str:
    if isinstance(node, Gateway):
        if node.kind.startswith("or"):
            raise ValueError(f"gateway {node.id}: inclusive gateways are not written for Prosimos")
        return "parallelGateway" if node.kind.startswith("and") else "exclusiveGateway"
    return {Start: "startEvent", End: "endEvent", Task: "task"}[type(node)]


def _name(node: Node) -> str:
    return node.label if isinstance(node, Task) else node.id


def _parameters(metagraph: Metagraph) -> dict[str, Any]:
    """Durations are moments in seconds: mean, variance, least, most."""
    calendars = {agent.id: agent.calendar for agent in metagraph.agents}
    return {
        "resource_profiles": [
            {
                "id": queue.id,
                "name": queue.id,
                "resource_list": [_resource(agent, calendars[agent]) for agent in queue.agents],
            }
            for queue in metagraph.queues
        ],
        "arrival_time_distribution": {
            "distribution_name": "fix",
            "distribution_params": [{"value": 60.0}] * 3,
        },
        "arrival_time_calendar": [_period("MONDAY", "SUNDAY", 0.0, 86399.0)],
        "gateway_branching_probabilities": [
            {
                "gateway_id": routing.node,
                "probabilities": [
                    {"path_id": flow, "value": share}
                    for flow, share in zip(
                        routing.flows, routing.shares(routing.overall().weights), strict=True
                    )
                ],
            }
            for routing in metagraph.routing
        ],
        "task_resource_distribution": [_work(task, metagraph) for task in metagraph.tasks()],
        "resource_calendars": [_calendar(calendar) for calendar in metagraph.calendars],
    }


def _resource(agent: str, calendar: str) -> dict[str, Any]:
    return {"id": agent, "name": agent, "cost_per_hour": 0.0, "amount": 1, "calendar": calendar}


def _work(task: Task, metagraph: Metagraph) -> dict[str, Any]:
    law = task.durations.default.law
    if not isinstance(law, Parametric) or law.family != "lognorm":
        raise ValueError(f"task {task.id}: only lognormal work is written for Prosimos")
    sigma, _, scale = law.params
    mean = scale * float(np.exp(sigma**2 / 2))
    values = (mean, mean**2 * float(np.expm1(sigma**2)), 0.0, _LONGEST_S)
    drawn = {"distribution_name": "lognorm", "distribution_params": [{"value": v} for v in values]}
    people = next(queue.agents for queue in metagraph.queues if queue.id == task.queues[0])
    return {"task_id": task.id, "resources": [{"resource_id": agent, **drawn} for agent in people]}


def _calendar(calendar: Calendar) -> dict[str, Any]:
    periods = []
    for begin, end in calendar.hours:
        day = _WEEKDAYS[int(begin // 86400)]
        periods.append(_period(day, day, begin % 86400, end - begin // 86400 * 86400))
    return {"id": calendar.id, "name": calendar.id, "time_periods": periods}


def _period(first: str, last: str, begin_s: float, end_s: float) -> dict[str, str]:
    return {"from": first, "to": last, "beginTime": _clock(begin_s), "endTime": _clock(end_s)}


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}"
