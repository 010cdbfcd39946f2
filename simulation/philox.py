"""A stream's numbers by the thousand: the same ones, found in arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulation.streams import Stream

_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_FACTORS = np.array([[0xD2511F53], [0xCD9E8D57]], np.uint64)


def uniforms(
    stream: Stream, order: ArrayLike, node: ArrayLike, visit: ArrayLike, purpose: ArrayLike
) -> NDArray[np.float64]:
    """`stream.uniform` at each of the counters, whose parts are broadcast against each other."""
    parts = [np.asarray(part, np.int64) for part in (order, node, visit, purpose)]
    shape = np.broadcast_shapes(*(part.shape for part in parts))
    counter = np.empty((4, *shape), np.int64)
    for i, part in enumerate(parts):
        counter[i] = part
    words = counter.view(np.uint64).reshape(4, -1) & _LOW
    even, odd = words[0::2], words[1::2]
    for key in np.array(stream.keys, np.uint64):
        product = even * _FACTORS
        even = (product >> _HALF)[::-1]
        even ^= odd
        even ^= key[:, None]
        product &= _LOW
        odd = product[::-1]
    whole = (even[0] << np.uint64(20) | odd[0] >> np.uint64(12)).astype(np.float64)
    u: NDArray[np.float64] = ((whole + 0.5) * 2.0**-52).reshape(shape)
    return 1.0 - u if stream.mirrored else u
