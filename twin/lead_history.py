"""How long closed orders took, by class and segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from twin.outlook import HistoryLead
from twin.sampling import Floats, expected, quantiles

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

ALL = "all orders"


def lead_of(group: str, lead_h: Floats, confidences: Sequence[str]) -> HistoryLead:
    """The row of a group of at least one order."""
    levels = quantiles(lead_h, [int(c) / 100 for c in confidences])
    return HistoryLead(
        group,
        len(lead_h),
        expected(lead_h),
        float(lead_h.std(ddof=1)) if len(lead_h) > 1 else None,
        dict(zip(confidences, levels.tolist(), strict=True)),
    )


def lead_history(
    metagraph: Metagraph, snapshot: Snapshot, cls: str, segment: str, confidences: Sequence[str]
) -> tuple[tuple[HistoryLead, ...], tuple[str, ...]]:
    """Closed orders of the class and segment asked for, then all of them; and what couldn't be told.

    Without either it is all orders alone; nothing where none was closed.
    """
    from eventlogs.bounds import case_bounds

    if not snapshot.n_cases:
        return (), ("no order was ever closed: there is no history to compare with",)
    last = np.fmax.reduceat(snapshot.end_s, snapshot.offsets[:-1])
    lead_h: Floats = (last - case_bounds(snapshot)[0]) / 3600
    closed: NDArray[np.bool_] = ~snapshot.is_open & ~np.isnan(lead_h)
    if not closed.any():
        return (), ("no order was ever closed: there is no history to compare with",)
    alike, notes = closed.copy(), []
    for name, wanted in (("class", cls), ("segment", segment)):
        column = metagraph.orders.columns.get(name)
        if not wanted:
            continue
        if column is None or column not in snapshot.attributes:
            notes.append(
                f"the log doesn't say of which {name} past orders were: they are compared all together"
            )
            continue
        alike &= np.array([value == wanted for value in snapshot.attributes[column]], bool)
    rows = [lead_of(ALL, lead_h[closed], confidences)]
    group = ", ".join(part for part in (cls, segment) if part)
    if group and not notes and alike.any():
        rows.insert(0, lead_of(group, lead_h[alike], confidences))
    elif group and not notes:
        notes.append(f"no order of {group} was ever closed: past orders are compared all together")
    return tuple(rows), tuple(notes)
