"""What the command `mine` prints: a readable part of an answer, and what can be asked."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.words import DAYS, number, percent, span
from ui.console import MOST_ROWS, as_json, say, show_table

if TYPE_CHECKING:
    import pyarrow as pa

_ONLY_IN_FILES = re.compile(r"(min|max|sd|p05|p25|p75|p95)_.*|.*_(start_to_start|end_to_end|paused)_s|length")
"""Columns that would not fit a terminal."""
_PAUSED = "total_paused_s"
"""Shown where something was suspended: durations hold the pauses."""


def show_questions(json_wanted: bool) -> None:
    """What a log can be asked."""
    from eventlogs.mining.catalogue import QUESTIONS

    if json_wanted:
        as_json({what: question.about for what, question in QUESTIONS.items()})
        return
    rows = []
    for what, question in QUESTIONS.items():
        by = [*question.by, *([f"name of {question.by_attribute}"] if question.by_attribute else [])]
        rows.append((what, question.about, ", ".join(by)))
    show_table(
        "What a log can be asked", ("WHAT", "answer", "--by (the first if not given)"), rows, (0, 1, 2)
    )


def show_mined(what: str, table: pa.Table, json_wanted: bool, written: Path | None) -> None:
    """The first rows of an answer; all of them as JSON."""
    if json_wanted:
        as_json(table.to_pylist())
        return
    names = [name for name in table.column_names if name == _PAUSED or not _ONLY_IN_FILES.fullmatch(name)]
    if _PAUSED in names and not any(table[_PAUSED].to_pylist()):
        names.remove(_PAUSED)
    rows = table.select(names).slice(0, MOST_ROWS).to_pylist()
    if what == "summary":
        for name, value in rows[0].items():
            say(f"{_title(name)}: {_shown(name, value)}")
    else:
        texts = [i for i, name in enumerate(names) if _is_text(table.schema.field(name).type)]
        shown = [[_shown(name, row[name]) for name in names] for row in rows]
        show_table(what, [_title(name) for name in names], shown, texts)
    if table.num_rows > MOST_ROWS:
        say(f"… and {table.num_rows - MOST_ROWS:,} more rows (--out writes all, with all columns)")
    if written:
        say(f"{table.num_rows:,} rows written to {written}.")


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return not (pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _title(name: str) -> str:
    return name.removesuffix("_s").replace("_", " ")


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return " → ".join(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if name == "weekday":
        return DAYS[value]
    if name.endswith("_s"):
        return span(value)
    if name in ("share", "covered"):
        return percent(value)
    return number(value) if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
