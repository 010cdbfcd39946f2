"""Which of several parallel branches comes first where all can begin at once."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from discovery.normal_form import children, leaves, numbered, rebuilt
from metagraph.blocks import Block, Loop, Parallel

if TYPE_CHECKING:
    from discovery.branches import Floats, Times


def by_first_start(block: Block, times: Times) -> Block:
    """The structure with its parallel branches in the order in which they begin.

    Work that can begin at one instant comes to its agents in the order of the branches; where they are busy,
    that is the order in which it is done. A branch stands before those that it begins earlier than in more
    cases than later; where that says nothing the order stays. Within loops nothing changes: there is only
    one time for all passes.
    """
    return numbered(_sorted(block, times))


def _sorted(block: Block, times: Times) -> Block:
    if isinstance(block, Loop):
        return block
    parts = [_sorted(child, times) for child in children(block)]
    if isinstance(block, Parallel):
        begun = np.column_stack([_begun(part, times) for part in parts])
        lead = (np.sign(begun[:, None, :] - begun[:, :, None]) > 0).sum(axis=0, dtype=np.int64)
        wins = np.sign(lead - lead.T).sum(axis=1)
        parts = [parts[i] for i in np.argsort(-wins, kind="stable")]
    return rebuilt(block, parts)


def _begun(part: Block, times: Times) -> Floats:
    """When each case first did something in this branch; NaN where it never did."""
    index = {activity: i for i, activity in enumerate(times.activities)}
    columns = [index[leaf.label] for leaf in leaves(part) if leaf.label in index]
    if not columns:
        return np.full(len(times.start_s), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmin(times.start_s[:, columns], axis=1), np.float64)
