"""Sums over what came earlier on one axis and later on another, for many questions at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.local_time import Floats


def before_and_above(
    at: Floats, key: Floats, weights: Floats, before: Floats, above: Floats
) -> NDArray[np.float64]:
    """For each question, the sums of `weights` (k x n) over the points with at < `before` and key > `above`.

    A merge sort tree: in level l the points, sorted by `at`, stand in blocks of 2**l that are sorted by
    `key`; what comes before an instant is made of one block a bit of its length. n points and m questions
    take O((n + m) log n), and k x m numbers come back.
    """
    n, sums = len(at), np.zeros((len(weights), len(before)))
    if not n or not len(before):
        return sums
    order = np.argsort(at, kind="stable")
    keys = np.unique(key)
    rank = np.searchsorted(keys, key[order])
    floor = np.searchsorted(keys, above, side="right")
    prefix = np.searchsorted(at[order], before, side="left")
    weights = weights[:, order]
    inside = np.arange(n)  # the points by block and key; sorted anew in each level from two sorted halves
    for level in range(n.bit_length()):
        asked = np.flatnonzero(prefix >> level & 1)
        place = (inside >> level) * (len(keys) + 1) + rank[inside]
        again = np.argsort(place, kind="stable")
        inside, place = inside[again], place[again]
        block = prefix[asked] >> (level + 1) << 1
        low = np.searchsorted(place, block * (len(keys) + 1) + floor[asked], side="left")
        high = (block + 1) << level
        for total, weight in zip(sums, weights, strict=True):
            until = np.concatenate(([0.0], np.cumsum(weight[inside])))
            total[asked] += until[high] - until[low]
    return sums
