"""Small logs and processes whose future can be told by hand."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from eventlogs.snapshot import Snapshot
from examples.order_to_cash import START, known_twin, log_text
from metagraph.blocks import Leaf, Loop, Parallel
from metagraph.blocks import Sequence as Row_
from metagraph.distributions import Constant
from metagraph.model import Metagraph
from metagraph.orders import Arrivals
from tests.eventlogs.logs import Row, frozen, write
from tests.simulation.builders import process

HOUR = 3600.0
WORK = {"a": HOUR, "b": 2 * HOUR, "c": 3 * HOUR, "d": HOUR, "e": HOUR, "f": HOUR}
"""Seconds each task of `deterministic` takes."""
BLOCK = Row_(
    (
        Leaf("a", "A"),
        Parallel("split", "merge", (Leaf("b", "B"), Leaf("c", "C"))),
        Loop("again", "enough", Leaf("d", "D"), (Leaf("e", "E"),)),
        Leaf("f", "F"),
    )
)


def deterministic(redo: float = 0.0, per_hour: float | None = None) -> Metagraph:
    """A, then B and C, then D (again after E), then F: constant times, nobody needed, arrivals if wanted."""
    arrivals = None if per_hour is None else Arrivals((per_hour,) * 168)
    laws = {node: Constant(seconds) for node, seconds in WORK.items()}
    return process(BLOCK, laws, weights={"enough": (redo, 1 - redo)}, arrivals=arrivals)


def snapshot(folder: Path, rows: Sequence[Row], until: datetime, open_cases: Sequence[str]) -> Snapshot:
    """These rows as known at the instant."""
    return frozen(write(folder / "log.csv", rows), until, open_cases)


def known_log(path: Path, days: float, seed: int = 1, start: datetime = START) -> Path:
    """The order-to-cash process watched from an empty start for some days."""
    text = log_text(known_twin(), start, start + timedelta(days=days), seed)
    path.write_text(text, encoding="utf-8")
    return path
