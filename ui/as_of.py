"""Which instant a page looks from."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from metagraph.model import Metagraph

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


def as_of(model: Metagraph, day: DeltaGenerator, clock: DeltaGenerator) -> datetime:
    """The instant that is chosen in two places of the page; at first the end of the twin's log."""
    last = (model.provenance.until if model.provenance else datetime.now(UTC)).astimezone(UTC)
    date = day.date_input("As of, day", last.date())
    hour = clock.time_input("As of, time (UTC)", last.time().replace(second=0, microsecond=0), step=900)
    moment = datetime.combine(date, hour if isinstance(hour, time) else time(), UTC)
    # The widget knows minutes only: the log's last instant must not lose what happened in its last one.
    return last if moment == last.replace(second=0, microsecond=0) else moment
