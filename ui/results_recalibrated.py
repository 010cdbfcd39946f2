"""What a recalibration found, for people and as JSON."""

from __future__ import annotations

from pathlib import Path

from twin.gate import ALONE, smaller
from twin.recalibration import Recalibration, RejectedError
from ui import console

NEAR = 0.001
"""Uncorrected p below which a change is shown though it is none."""


def show_recalibration(result: Recalibration, as_json: bool, report: Path | None) -> None:
    """The verdict, what drifted and what the gate measured."""
    if as_json:
        console.as_json(result)
        return
    if result.drift is not None and result.drift.watched:
        drift = result.drift
        # What is no drift is shown as far as it comes near.
        shown = [*drift.found, *[one for one in drift.watched if not one.found and one.p < NEAR]]
        rows = [
            ["drift" if one.found else "", one.words, one.test, f"{one.corrected_p:.2g}"]
            for one in shown[: console.MOST_ROWS]
        ]
        if rows:
            console.show_table("Changes", ("", "What", "Test", "Corrected p"), rows, texts=(0, 1, 2))
        console.say(
            f"{len(drift.watched)} things were watched with {drift.tests} tests. Drift: a corrected p of at "
            f"most {drift.alpha:.2g}, or found before, and large enough to matter."
        )
    for gate in result.gates:
        rows = [
            [f"{one.name} ({one.unit})", f"{one.champion:.3g}", f"{one.challenger:.3g}", smaller(one)]
            for one in (*gate.distances, gate.overall, *((gate.forecasts,) if gate.forecasts else ()))
        ]
        columns = ("Measure", "Champion", "Challenger", "Smaller by (90 % interval)")
        console.show_table(f"Gate: {gate.challenger}, {gate.cases} orders", columns, rows)
    for check in result.checks:
        if not check.passed:
            console.say(f"Failed: {check.name}: {check.words}.")
    if result.gates:
        console.say(ALONE)
    if report:
        console.say(f"Report: {report}")
    if as_error(result):
        console.say("rejected: the champion stays.")  # Why, says the error that the command ends with.
        return
    console.say(f"{result.verdict}: {result.words}.")
    if result.verdict == "asks" and result.challenger is not None:
        console.say(f"To promote it: tracetwin models promote {result.reference}")


def as_error(result: Recalibration) -> bool:
    """Whether the gate let nobody through, and that wasn't told before."""
    return result.verdict == "rejected" and not result.again


def end(result: Recalibration) -> None:
    """Raise RejectedError (exit code 4) where the gate let nobody through, unless that was told before."""
    if as_error(result):
        raise RejectedError(result.words)
