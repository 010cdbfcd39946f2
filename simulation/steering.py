"""What no engine can be told between events."""

from __future__ import annotations

from metagraph.errors import DataError
from simulation.program import Program


def refuse_batch(program: Program, node: int) -> None:
    """Raise DataError if work at the node is collected: its end can't be announced order by order."""
    if program.network.nodes["batch"][node] >= 0:
        raise DataError(
            f"an end was announced at task {program.network.node_ids[node]!r}, whose work is collected into "
            "batches: announce nothing there"
        )
