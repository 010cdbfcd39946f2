"""Addresses: all of a run's memory hangs on one record of addresses and counters, the world.

A function takes the world and indices, so compiling stays cheap however many arrays there are, and nothing is
counted or checked while running. With NUMBA_DISABLE_JIT=1 the same source runs as Python: addresses are then
looked up among the arrays that `address` was given.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
known: dict[int, NDArray[Any]] = {}
"""Arrays by address, if this is interpreted."""


def address(array: NDArray[Any]) -> int:
    """Where an array begins; it must be contiguous, and kept alive by whoever uses the address."""
    found: int = array.ctypes.data
    if INTERPRETED and array.size:
        known[found] = array.reshape(-1)
    return found


class Interpreted:
    """A record whose fields are plain numbers, as compiled code sees them."""

    __slots__ = ("_row",)

    def __init__(self, row: np.void) -> None:
        object.__setattr__(self, "_row", row)

    def __getattr__(self, name: str) -> Any:
        return self._row[name].item()

    def __setattr__(self, name: str, value: Any) -> None:
        self._row[name] = value
