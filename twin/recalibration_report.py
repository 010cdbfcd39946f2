"""A recalibration as a report: HTML with pictures, Markdown, or JSON, by the file's name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from metagraph.errors import UsageError
from twin.drift import Drift
from twin.files import check_writable, write_text
from twin.gate import ALONE, Gate, smaller
from twin.recalibration import MEANINGS, Recalibration

ENDINGS = (".html", ".md", ".json")
_TEMPLATES = Path(__file__).parent / "templates"
SHOWN = 25


def check_report(path: Path | None) -> None:
    """Raise UsageError for a name of another kind, DataError for a place where nothing can be written."""
    if path is not None and path.suffix not in ENDINGS:
        raise UsageError(f"--report {path}: expected a name that ends in {', '.join(ENDINGS)}")
    check_writable(path)


def write_report(path: Path, result: Recalibration) -> None:
    """The report; whole or absent."""
    from twin.json_out import dump

    make = {".html": html, ".md": markdown, ".json": dump}
    write_text(path, make[path.suffix](result))


def html(result: Recalibration) -> str:
    """One page that needs no other file and no network."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from twin.drawing_tools import INK, to_svg
    from twin.recalibration_charts import drift_chart, gate_chart
    from twin.words import instant, number

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"instant": instant, "number": number, "smaller": smaller}
    drawn = drift_chart(result.drift) if result.drift else None
    pictures = [drawn] if drawn else []
    pictures += [gate_chart(gate) for gate in result.gates]
    inline = [Markup(to_svg(picture).replace(INK, "currentColor")) for picture in pictures]
    return environment.get_template("recalibration.html").render(
        result=result,
        meaning=MEANINGS[result.verdict],
        shown=result.drift.watched[:SHOWN] if result.drift else (),
        pictures=inline,
        alone=ALONE,
        made=datetime.now(UTC),
    )


def markdown(result: Recalibration) -> str:
    """The same as text."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: Recalibration) -> Iterator[str]:
    yield f"# Recalibration of {result.twin}: {result.verdict}"
    yield ""
    yield f"Champion: version {result.champion}. Log: {result.log}, as of {result.as_of:%Y-%m-%d %H:%M} UTC."
    yield ""
    yield f"{result.words[:1].upper()}{result.words[1:]}."
    drift = result.drift
    if drift is not None:
        yield ""
        yield "## Drift"
        yield ""
        yield (
            f"{drift.tests} tests of {drift.cases} orders since {drift.since:%Y-%m-%d %H:%M} UTC against "
            f"{drift.cases_before} before; chance of any false alarm: {drift.alpha:.2%}. {drift.note}"
        )
        yield ""
        yield "| | what | test | p | corrected p |"
        yield "| --- | --- | --- | ---: | ---: |"
        yield from (_drift_line(one) for one in drift.watched[:SHOWN])
    for gate in result.gates:
        yield from _gate_lines(gate)
    if result.checks:
        yield ""
        yield "## Checks of the challenger"
        yield ""
        yield from (
            f"- {'passed' if check.passed else '**failed**'}: {check.name}: {check.words}"
            for check in result.checks
        )


def _drift_line(one: Drift) -> str:
    mark = "**drift**" if one.found else ""
    words = one.words.replace("|", "\\|")
    return f"| {mark} | {words} | {one.test} | {one.p:.2g} | {one.corrected_p:.2g} |"


def _gate_lines(gate: Gate) -> Iterator[str]:
    yield ""
    yield f"## Gate: {gate.challenger}"
    yield ""
    reason = f"{gate.reason[:1].upper()}{gate.reason[1:]}"
    yield (
        f"{reason}. Held out: {gate.cases} orders from {gate.begin:%Y-%m-%d %H:%M} UTC; {gate.runs} "
        f"simulated logs of each, with common random numbers. {ALONE}"
    )
    yield ""
    yield "| measure | champion | challenger | smaller by (90 % interval) |"
    yield "| --- | ---: | ---: | ---: |"
    for one in (*gate.distances, gate.overall, *((gate.forecasts,) if gate.forecasts else ())):
        yield (f"| {one.name} ({one.unit}) | {one.champion:.3g} | {one.challenger:.3g} | {smaller(one)} |")
