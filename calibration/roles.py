"""Roles: agents who do the same, found by clustering what each of them does.

After Song and van der Aalst, "Towards comprehensive support for organizational mining" (2008): agents'
profiles of activities are clustered agglomeratively (average linkage). The distance is Hellinger's,

    H(p, q) = sqrt(1 - sum_a sqrt(p_a q_a)),

0 for equal shares of activities, 1 for agents who have no activity in common.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from calibration.local_time import Floats, Mask
from metagraph.distributions import ENOUGH

APART = 0.5
"""Clusters further apart are different roles: shares of 80 and 20 % against 20 and 80 % are, shares of 70 and
30 % against 30 and 70 % aren't."""
MAIN = 0.1
"""Tasks that make up at least this share of a role's work give it its name."""
USUAL = 0.05
"""A rare agent may be of a role if half of its work is at tasks that make up so much of the role's."""
MOST = 2000
"""Agents that are clustered, those with the most executions; the others count as rare."""

Ints = NDArray[np.int64]


def fit_roles(work: Ints, activities: tuple[str, ...]) -> tuple[Ints, tuple[str, ...]]:
    """Role of each resource and the roles' names, from executions per resource and activity.

    Agents with ENOUGH executions are clustered by what they do. A rare one joins the role under which its
    work is likeliest, if that role does it at all; those who are left are grouped by their main task, and the
    groups clustered. Roles go by their work, the most first; each is named after its tasks.
    """
    totals = work.sum(axis=1)
    roles = np.full(len(work), -1, np.int64)
    ranked = np.argsort(-totals, kind="stable")
    known = np.sort(ranked[:MOST][totals[ranked[:MOST]] >= ENOUGH])
    roles[known] = clusters(work[known])
    rare = np.flatnonzero((roles < 0) & (totals > 0))
    roles[rare] = _likeliest(work[rare], _sums(work, roles))
    left = rare[roles[rare] < 0]
    mains, group = np.unique(work[left].argmax(axis=1), return_inverse=True)
    groups = (
        np.stack([work[left[group == g]].sum(axis=0) for g in range(len(mains))]) if len(left) else work[:0]
    )
    roles[left] = int(roles.max(initial=-1)) + 1 + clusters(groups)[group]
    # Who did nothing that counts is of no role in particular.
    roles[roles < 0] = 0
    done = _sums(work, roles)
    order = np.argsort(-done.sum(axis=1), kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place[roles] if len(order) else roles, _names(done[order], activities)


def clusters(work: Ints) -> Ints:
    """Cluster of each row of executions per activity, each row with some."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    if len(work) < 2:
        return np.zeros(len(work), np.int64)
    share = np.sqrt(work / work.sum(axis=1, keepdims=True))
    # The Euclidean distance of the roots is sqrt(2) times Hellinger's.
    tree = linkage(pdist(share), "average")
    return np.asarray(fcluster(tree, APART * np.sqrt(2), "distance") - 1, np.int64)


def _sums(work: Ints, roles: Ints) -> Ints:
    """Executions per role and activity."""
    return np.stack(
        [work[roles == r].sum(axis=0) for r in range(int(roles.max(initial=-1)) + 1)] or [work.sum(axis=0)]
    )


def _likeliest(work: Ints, done: Ints) -> Ints:
    """The role of each agent by Bayes' rule, from roles' executions per activity; -1: none does that."""
    if not done.any():
        return np.full(len(work), -1, np.int64)
    size = done.sum(axis=1, keepdims=True)
    chance = (done + 0.5) / (size + 0.5 * done.shape[1])
    score = work @ np.log(chance).T + np.log(np.maximum(size[:, 0], 1))
    does: Mask = done >= USUAL * size
    fits = 2 * (work @ does.T) >= work.sum(axis=1, keepdims=True)
    score = np.where(fits, score, -np.inf)
    return np.where(fits.any(axis=1), score.argmax(axis=1), -1)


def _names(done: Ints, activities: Sequence[str]) -> tuple[str, ...]:
    """Roles' names: their main tasks, the most frequent first; alike ones are numbered."""
    names: list[str] = []
    for row in done:
        share: Floats = row / max(row.sum(), 1)
        tasks = [a for a in np.argsort(-share, kind="stable").tolist() if share[a] >= MAIN]
        shown = ", ".join(activities[a] for a in tasks[:2])
        shown += f" +{len(tasks) - 2}" if len(tasks) > 2 else ""
        alike = sum(name == shown or name.startswith(f"{shown} (") for name in names)
        names.append(f"{shown} ({alike + 1})" if alike else shown)
    return tuple(names)
