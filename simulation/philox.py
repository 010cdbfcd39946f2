"""A stream's numbers by the thousand: the same ones, found in arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulation.streams import Stream

_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)


def uniforms(
    stream: Stream, order: ArrayLike, node: ArrayLike, visit: ArrayLike, purpose: ArrayLike
) -> NDArray[np.float64]:
    """`stream.uniform` at each of the counters, whose parts are broadcast against each other."""
    parts = (np.asarray(part, np.int64).astype(np.uint64) & _LOW for part in (order, node, visit, purpose))
    c0, c1, c2, c3 = np.broadcast_arrays(*parts)
    for k0, k1 in stream.keys:
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (
            (p1 >> _HALF) ^ c1 ^ np.uint64(k0),
            p1 & _LOW,
            (p0 >> _HALF) ^ c3 ^ np.uint64(k1),
            p0 & _LOW,
        )
    u: NDArray[np.float64] = ((c0 << np.uint64(20) | c1 >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    return 1.0 - u if stream.mirrored else u
