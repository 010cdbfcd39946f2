"""Two twins held against each other, and the files that were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from metagraph.errors import UsageError
from twin.diff import Change, Compared, Test, diff
from twin.files import check_picture_name, check_writable, write_whole
from twin.registry import read_with_snapshot

CHANGE = tuple(f.name for f in fields(Change))
TEST = tuple(f.name for f in fields(Test))
COLUMNS = ("kind", "what", "before", "after", *CHANGE, *(f"test_{name}" for name in TEST), "verdict", "note")


def diff_command(
    db: str, before: str, after: str | None, chart: Path | None = None, out: Path | None = None
) -> Compared:
    """How `after` differs from `before`; one twin alone is held against the champion of its name.

    Raises UsageError for a picture of an unknown kind, DataError if a twin isn't there.
    """
    check_picture_name(chart)
    check_writable(chart, out)
    if after is None:
        before, after = _champion(before), before
    (old, first, told), (new, second, known) = (read_with_snapshot(name, db) for name in (before, after))
    snapshots = (told, known) if told is not None and known is not None else None
    found = diff(old, new, snapshots, (first, second))
    if chart:
        from twin.diff_charts import diff_chart
        from twin.drawing_tools import write_picture

        write_picture(chart, diff_chart(found))
    if out:
        write_csv(out, found)
    return found


def _champion(reference: str) -> str:
    name, at, _ = reference.partition("@")
    if not at:
        raise UsageError(
            f"models diff {reference}: name two twins, or one version such as {reference}@2, which is held "
            "against the champion"
        )
    return name


def write_csv(path: Path, found: Compared) -> None:
    """A row a difference, also those that chance explains."""
    import csv

    def fill(beside: Path) -> None:
        with beside.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(COLUMNS)
            for one in found.differences:
                values = [
                    one.kind,
                    one.what,
                    *one.told,
                    *_values(one.change, CHANGE),
                    *_values(one.test, TEST),
                ]
                rows.writerow([*values, one.verdict, one.note])

    write_whole(path, fill)


def _values(value: Change | Test | None, names: Sequence[str]) -> list[object]:
    found = [getattr(value, name, None) for name in names]
    return ["" if one is None else one for one in found]
