"""Node ids for tasks: readable, and the same for the same activities whatever the structure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

RESERVED = frozenset({"start", "end"})
"""What `metagraph.blocks.skeleton` calls a graph's first and last node."""


def task_ids(labels: Iterable[str]) -> dict[str, str]:
    """Activity label -> node id.

    A label's plain letters and digits, joined by underscores; labels that come out the same are numbered
    in alphabetical order.
    """
    taken = set(RESERVED)
    ids: dict[str, str] = {}
    for label in sorted(set(labels)):
        plain = unicodedata.normalize("NFKD", label).casefold()
        base = re.sub(r"[\W_]+", "_", plain.encode("ascii", "ignore").decode()).strip("_") or "task"
        candidate, n = base, 2
        while candidate in taken:
            candidate, n = f"{base}_{n}", n + 1
        taken.add(candidate)
        ids[label] = candidate
    return ids
