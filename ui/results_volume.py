"""What `tracetwin arrivals` shows: orders to come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from twin.words import number
from ui.console import MOST_ROWS, as_json, more, say, show_table

if TYPE_CHECKING:
    from twin.volume import Volume


def show_volume(volume: Volume, json_wanted: bool, written: Sequence[Path] = ()) -> None:
    """A row a day or week."""
    if json_wanted:
        as_json(volume)
        return
    zone = ZoneInfo(volume.time_zone)
    rows = [
        (
            f"{c.begin.astimezone(zone):%a %Y-%m-%d}",
            number(c.mean),
            f"{c.q10:.0f} to {c.q90:.0f}",
            f"{c.q025:.0f} to {c.q975:.0f}",
        )
        for c in volume.counts[:MOST_ROWS]
    ]
    title = f"{volume.twin}: orders to come, by {volume.by}s of {volume.time_zone}"
    show_table(title, (f"{volume.by} from", "mean", "80 % of futures", "95 % of futures"), rows, (0,))
    more(len(volume.counts))
    for note in volume.notes:
        say(note)
    for path in written:
        say(f"Written to {path}.")
