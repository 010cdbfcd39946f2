"""What `tracetwin arrivals` shows: orders to come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from twin.words import number
from ui.console import MOST_ROWS, as_json, more, say, show_table

if TYPE_CHECKING:
    from twin.volume import Count, Volume


def show_volume(volume: Volume, json_wanted: bool, written: Sequence[Path] = ()) -> None:
    """A row a day or week; then for each class of orders, where the twin has several."""
    if json_wanted:
        as_json(volume)
        return
    title = f"{volume.twin}: orders to come, by {volume.by}s of {volume.time_zone}"
    _table(volume, title, volume.counts)
    for cls, counts in volume.by_class.items():
        _table(volume, f"of class {cls}" if cls else "of no class", counts)
    for note in volume.notes:
        say(note)
    for path in written:
        say(f"Written to {path}.")


def _table(volume: Volume, title: str, counts: Sequence[Count]) -> None:
    zone = ZoneInfo(volume.time_zone)
    rows = [
        (
            f"{c.begin.astimezone(zone):%a %Y-%m-%d}",
            number(c.mean),
            f"{c.q10:.0f} to {c.q90:.0f}",
            f"{c.q025:.0f} to {c.q975:.0f}",
        )
        for c in counts[:MOST_ROWS]
    ]
    show_table(title, (f"{volume.by} from", "mean", "80 % of futures", "95 % of futures"), rows, (0,))
    more(len(counts))
