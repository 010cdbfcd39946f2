"""Random numbers that depend on what they are for, not on when they are drawn.

Philox4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011): a counter goes through
ten rounds under a key. The key is (seed, replication), the counter (order, node, visit, purpose), so two
runs that differ in anything else use common random numbers by construction.
"""

from __future__ import annotations

from enum import IntEnum

from metagraph.errors import UsageError

_MASK = 0xFFFFFFFF
_ROUNDS = 10


class Purpose(IntEnum):
    """What a uniform number decides."""

    ROUTE = 0
    DELAY = 1
    WORK = 2
    AGENT = 3
    QUEUE = 4
    GAP = 5
    DAY = 6
    CLASS = 7
    VALUE = 8
    DUE = 9
    PATIENCE = 10
    EARLY = 11
    FAILURE = 12
    REPAIR = 13
    ETA = 14
    SIZE = 15


REDRAW = 16
"""A purpose plus k times this is the k-th redraw for the same purpose."""


class Stream:
    """All uniform numbers of one replication. Every part of key and counter is used modulo 2^32."""

    __slots__ = ("keys", "mirrored")

    def __init__(self, seed: int, replication: int = 0, *, antithetic: bool = False) -> None:
        """`antithetic`: an odd replication mirrors the one before it: 1 - u for its every u."""
        if not 0 <= seed <= _MASK:
            raise UsageError(f"the seed is {seed}: give a whole number from 0 to {_MASK}")
        self.mirrored = antithetic and replication % 2 == 1
        """Each u is given as 1 - u."""
        replication -= self.mirrored
        keys = []
        k0, k1 = seed, replication & _MASK
        for _ in range(_ROUNDS):
            keys.append((k0, k1))
            k0, k1 = (k0 + 0x9E3779B9) & _MASK, (k1 + 0xBB67AE85) & _MASK
        self.keys = tuple(keys)
        """The key of each round."""

    def words(self, c0: int, c1: int, c2: int, c3: int) -> tuple[int, int, int, int]:
        """The four 32-bit words at a counter."""
        for k0, k1 in self.keys:
            p0 = 0xD2511F53 * c0
            p1 = 0xCD9E8D57 * c2
            c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & 0xFFFFFFFF, (p0 >> 32) ^ c3 ^ k1, p0 & 0xFFFFFFFF
        return c0, c1, c2, c3

    def uniform(self, order: int, node: int, visit: int, purpose: int) -> float:
        """A number strictly between 0 and 1, in steps of 2^-52."""
        c0, c1, _, _ = self.words(order & _MASK, node, visit & _MASK, purpose)
        u = ((c0 << 20 | c1 >> 12) + 0.5) * 2.0**-52
        return 1.0 - u if self.mirrored else u
