"""What `tracetwin whatif` shows of a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twin.whatif_figures import HEADLINE, UTILISATION, WAIT
from twin.whatif_words import (
    between_text,
    change_text,
    figure_name,
    real_text,
    recovery_text,
    value_text,
)
from twin.words import instant
from ui.console import as_json, say, show_table

if TYPE_CHECKING:
    from twin.whatif_found import ScenarioFound, WhatIf

FEW = 6
"""Agents and activities of a scenario's table: those whose figures change most."""


def show_whatif(found: WhatIf, json_wanted: bool, written: Sequence[Path] = ()) -> None:
    """Every scenario beside the baseline."""
    if json_wanted:
        as_json(found)
        return
    say(
        f"{found.twin} from {instant(found.begin)} to {instant(found.end)}, beginning with "
        f"{found.beginning}. {found.replications} runs on the same random numbers ({found.engine} engine)."
    )
    for one in found.scenarios:
        _scenario(found, one)
    for note in found.notes:
        say(note[:1].upper() + note[1:] + ".")
    for path in written:
        say(f"Written: {path}")


def _scenario(found: WhatIf, one: ScenarioFound) -> None:
    changes = [(change.where, change.text) for change in one.changes]
    show_table(f"{one.name}: what is different", ("table", "before → after"), changes, texts=(0, 1))
    title = f"{one.name} beside the baseline"
    columns = ("figure", "baseline", one.name, "difference", "between", "")
    show_table(title, columns, _rows(one), texts=(0, 5))
    for sentence in one.verdict:
        say(sentence)
    for back in one.recovery:
        if back.left is not None:
            say(recovery_text(back, one.dates))
    for note in one.notes:
        say(note[:1].upper() + note[1:] + ".")


def _rows(one: ScenarioFound) -> Iterator[tuple[str, ...]]:
    names = [name for name in one.figures if name in HEADLINE]
    for kind in (UTILISATION, WAIT):
        some = [name for name in one.figures if name.startswith(kind) and one.figures[name].real]
        names += sorted(some, key=lambda name: -abs(one.figures[name].difference.mean))[:FEW]
    for name in names:
        figure = one.figures[name]
        change = figure.difference
        yield (
            figure_name(name),
            value_text(name, figure.baseline.mean),
            value_text(name, figure.scenario.mean),
            change_text(name, change.mean) if change.mean else "none",
            between_text(name, change.low, change.high) if change.low < change.high else "",
            real_text(figure),
        )
