"""The report: one HTML file that says what the twin is, how real it is, and what it assumes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from metagraph.agents import Agent
from metagraph.captions import rule_text
from metagraph.distributions import ENOUGH, Fitted
from metagraph.drawing import draw_svg
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.routing import BusinessRule, Context, Routing
from twin import choices, model_words, scarce, time_spent, words
from twin.batch_words import batch_text
from twin.far_off import far_off_text
from twin.files import write_text
from twin.outlook import LEVELS, Forecast, OrderOutlook, Quote
from twin.rules_told import rules_told
from twin.validation import Validation
from twin.verdict import measured_on, metric_verdicts, verdict

MOST_ORDERS = 200
MOST_FITS = 40
_TEMPLATES = Path(__file__).parent / "templates"


def write_report(
    path: Path,
    metagraph: Metagraph,
    *,
    validation: Validation | None = None,
    forecast: Forecast | None = None,
    quote: Quote | None = None,
) -> None:
    """Write the report to `path`; it needs no other file and no network.

    Parts that are None are left out, and the report says how to get them. Raises DataError where the
    file can't be written; nothing half-written is left.
    """
    write_text(path, render(metagraph, validation=validation, forecast=forecast, quote=quote))


def render(
    metagraph: Metagraph,
    *,
    validation: Validation | None = None,
    forecast: Forecast | None = None,
    quote: Quote | None = None,
) -> str:
    """The report as HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from twin import charts

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        name: getattr(words, name) for name in ("span", "mean_span", "percent", "instant", "number", "few")
    }
    environment.filters["whole"] = lambda value: f"{value:,.0f}"
    environment.filters["unbroken"] = _unbroken
    environment.filters["signed"] = choices.signed
    environment.filters["days"] = lambda seconds: f"{words.number(seconds / 86400)} d"
    environment.filters["minute"] = lambda moment: f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
    return environment.get_template("report.html").render(
        model=metagraph,
        made=datetime.now(UTC),
        learned_from=model_words.learned_from(metagraph),
        congestion=model_words.congestion_text(metagraph),
        arrivals=model_words.arrivals_text(metagraph.arrivals) if metagraph.arrivals else "",
        endings=model_words.endings_text(metagraph),
        paced=model_words.PACED,
        spent=_spent(metagraph),
        paces=[_inline(charts.pace_heatmap(pace)) for pace in metagraph.paces],
        diagrams=_diagrams(metagraph),
        pictures=_pictures(metagraph, validation, forecast),
        tasks=[_task(metagraph, task, i < MOST_FITS) for i, task in enumerate(metagraph.tasks())],
        gateways=_gateways(metagraph),
        worked_by=rules_told(metagraph),
        calendars=_calendars(metagraph),
        roles=_roles(metagraph),
        scarce=scarce.scarce(metagraph),
        assumed=scarce.assumptions(metagraph),
        facts=scarce.facts(metagraph),
        enough=ENOUGH,
        chosen=choices.all_told(metagraph),
        dots=_dots(metagraph),
        margins=choices.margins_text(),
        scores_mean=choices.SCORES,
        validation=validation,
        verdict=verdict(validation) if validation else "",
        far_off=far_off_text(validation) if validation else "",
        measured_on=measured_on(validation) if validation else "",
        metrics=metric_verdicts(validation) if validation else (),
        forecast=forecast,
        orders=[_order(order) for order in _soonest(forecast)] if forecast else [],
        quote=quote,
    )


def _unbroken(text: str) -> Markup:
    """The text, with instants that no line breaks."""
    stamp = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?")
    return Markup(stamp.sub(r'<span class="id">\g<0></span>', str(escape(text))))


def _diagrams(metagraph: Metagraph) -> dict[str, Markup]:
    """The process for light and dark pages; nothing for a graph that isn't block-structured."""
    try:
        return {theme: Markup(draw_svg(metagraph, dark=theme == "dark")) for theme in ("light", "dark")}
    except DataError:
        return {}


def _pictures(
    metagraph: Metagraph, validation: Validation | None, forecast: Forecast | None
) -> dict[str, Markup]:
    from twin import charts

    drawn = {
        "waits": charts.waits_chart(metagraph),
        "shifts": charts.calendar_heatmap(metagraph),
        "arrivals": charts.arrivals_profile(metagraph),
    }
    if validation:
        drawn["validation"] = charts.validation_bars(validation)
    if forecast and forecast.orders:
        drawn["gantt"] = charts.forecast_gantt(forecast, metagraph)
    if forecast and forecast.system:
        drawn["wip"] = charts.wip_fan(forecast)
    return {name: _inline(chart) for name, chart in drawn.items()}


def _inline(chart: Any) -> Markup:
    """SVG that takes the page's colour for its text; vl-convert escapes what it writes."""
    from twin.drawing_tools import INK, to_svg

    return Markup(to_svg(chart).replace(INK, "currentColor"))


def _dots(metagraph: Metagraph) -> dict[str, Markup]:
    """A picture of the candidates by choice, where they were compared."""
    from twin.choice_charts import choice_dots

    drawn = {found.choice.what: choice_dots(found) for found in choices.all_told(metagraph)}
    return {what: _inline(chart) for what, chart in drawn.items() if chart}


def _task(metagraph: Metagraph, task: Task, with_pictures: bool) -> dict[str, Any]:
    from twin import charts

    default = task.durations.default
    rows = [row for row in task.durations.rows if row.fitted is not default]
    return {
        "label": task.label,
        "fit": _fit("", default),
        "agents": words.serving(metagraph, task),
        "delay": model_words.delay_text(task.delay) if task.delay else "none",
        "batch": batch_text(task.batch) if task.batch else "",
        "rows": [_fit(" · ".join(filter(None, (r.cls, r.segment, r.agent))), r.fitted) for r in rows],
        "pictures": [
            _inline(charts.fit_histogram(default, task.label)),
            _inline(charts.fit_qq(default, task.label)),
        ]
        if with_pictures
        else [],
    }


def _spent(metagraph: Metagraph) -> dict[str, Any]:
    """Where the time goes, with only those parts that there are."""
    times = time_spent.time_spent(metagraph)
    parts = [(part, name) for part, name in time_spent.PARTS.items() if any(t.mean_s[part] for t in times)]
    return {
        "times": times,
        "parts": parts,
        "meanings": [(name, time_spent.MEANINGS[name]) for _, name in parts],
        "summary": time_spent.summary(times),
        "modelled": time_spent.modelled(metagraph),
        "busy": {t.task: time_spent.busy_text(t.busy_with_s) for t in time_spent.busy_told(times)},
    }


def _fit(name: str, fitted: Fitted) -> dict[str, Any]:
    return {
        "name": name,
        "n": fitted.n,
        "few": fitted.few,
        "law": words.law_name(fitted.law),
        "mean": words.mean_text(fitted),
        "range": " to ".join(words.span(float(fitted.law.ppf(p))) for p in (0.05, 0.95)),
        "ks": "–" if fitted.ks is None else f"{fitted.ks:.3f}",
        "level": fitted.level,
        "note": fitted.note,
    }


def _gateways(metagraph: Metagraph) -> list[dict[str, Any]]:
    found = []
    names = model_words.gateway_names(metagraph)
    for routing in metagraph.routing:
        overall = routing.overall()
        branches = words.ways_text(metagraph, routing, overall.weights, overall.n)
        contexts = len(routing.rows) - 1
        found.append(
            {
                "where": names[routing.node],
                "branches": branches,
                "n": overall.n,
                "contexts": contexts,
                "rules": [_rule(metagraph, routing, i, rule) for i, rule in enumerate(routing.rules, 1)],
            }
        )
    return found


def _rule(metagraph: Metagraph, routing: Routing, number: int, rule: BusinessRule) -> dict[str, Any]:
    """A business rule and where it sends orders, whatever else is known of them."""
    weights = routing.weights(Context("", "", 0, (), str(number)))
    return {
        "text": rule_text(rule.when),
        "to": words.ways_text(metagraph, routing, weights, rule.n),
        "seen": "set by hand" if rule.by_hand else f"{rule.n:,}",
        "note": rule.note,
    }


def _roles(metagraph: Metagraph) -> list[dict[str, Any]]:
    """Who is of each role, and for whom agents stand that are several people; the largest role first."""
    of: dict[str, list[Agent]] = {}
    for agent in metagraph.agents:
        of.setdefault(agent.role, []).append(agent)
    rows = [
        {
            "role": role,
            "agents": [agent.id for agent in agents if not agent.members],
            "merged": [(agent.id, agent.members) for agent in agents if agent.members],
            "people": sum(len(agent.members) or 1 for agent in agents),
        }
        for role, agents in of.items()
    ]
    return sorted(rows, key=lambda row: -row["people"])


def _calendars(metagraph: Metagraph) -> list[dict[str, Any]]:
    users: dict[str, list[str]] = {}
    for agent in metagraph.agents:
        users.setdefault(agent.calendar, []).append(agent.id)
    return [
        {
            "calendar": calendar,
            "hours": words.hours_text(calendar),
            "weekly_h": calendar.weekly_hours(),
            "agents": users.get(calendar.id, []),
        }
        for calendar in metagraph.calendars
    ]


def _soonest(forecast: Forecast) -> list[OrderOutlook]:
    middle = LEVELS.index(0.5)
    return sorted(forecast.orders, key=lambda order: order.quantiles[middle])[:MOST_ORDERS]


def _order(order: OrderOutlook) -> dict[str, Any]:
    early, middle, late = (order.quantiles[LEVELS.index(p)] for p in (0.05, 0.5, 0.95))
    return {"order": order, "early": early, "middle": middle, "late": late}
