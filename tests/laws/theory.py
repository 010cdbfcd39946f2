"""Formulas of queueing theory, each with its source. Rates per second, times in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import factorial

import numpy as np

from metagraph.model import Metagraph


def erlang_c_wait(arrival: float, service: float, servers: int) -> float:
    """M/M/c: E[W] = C(c, a) / (c mu - lambda)."""
    a = arrival / service
    tail = a**servers / factorial(servers) / (1 - a / servers)
    c = tail / (sum(a**k / factorial(k) for k in range(servers)) + tail)
    return c / (servers * service - arrival)


def pollaczek_khinchine(arrival: float, mean: float, variance: float) -> float:
    """M/G/1: E[W] = lambda E[S^2] / (2 (1 - rho))."""
    return arrival * (variance + mean**2) / (2 * (1 - arrival * mean))


def preemptive_resume(
    arrivals: Sequence[float], means: Sequence[float], second: Sequence[float]
) -> list[float]:
    """M/G/1 with preemptive-resume priorities, most urgent first: mean response of each class.

    E[T_k] = E[S_k] / (1 - s_{k-1}) + sum_{i<=k} l_i E[S_i^2] / (2 (1 - s_{k-1}) (1 - s_k)), with s_k the load
    of classes 1..k (Conway, Maxwell and Miller, Theory of Scheduling, 1967, section 8-7).
    """
    found, load, moment = [], 0.0, 0.0
    for rate, mean, square in zip(arrivals, means, second, strict=True):
        before, load, moment = load, load + rate * mean, moment + rate * square
        found.append(mean / (1 - before) + moment / (2 * (1 - before) * (1 - load)))
    return found


def cobham(arrivals: Sequence[float], means: Sequence[float], second: Sequence[float]) -> list[float]:
    """M/G/1 with priorities but no preemption: mean wait of each class (Cobham, Operations Research 2, 1954).

    E[W_k] = sum_i l_i E[S_i^2] / (2 (1 - s_{k-1}) (1 - s_k)).
    """
    rest = sum(rate * square for rate, square in zip(arrivals, second, strict=True)) / 2
    loads = np.concatenate([[0.0], np.cumsum(np.multiply(arrivals, means))])
    return [rest / ((1 - a) * (1 - b)) for a, b in pairwise(loads.tolist())]


def shortest_remaining(arrivals: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """M/G/1 under SRPT with sizes d_1 < d_2 < ...: mean response of each (Schrage and Miller, Operations
    Research 14, 1966, whose integral over the sizes is a sum here; equals first come first served).

    E[T_k] = (sum_{i<k} l_i d_i^2 + d_k^2 sum_{i>=k} l_i) / (2 (1 - s_{k-1}) (1 - s_k))
           + sum_{i<=k} (d_i - d_{i-1}) / (1 - s_{i-1}).
    """
    found, load, shorter, residence, previous = [], 0.0, 0.0, 0.0, 0.0
    for k, (rate, size) in enumerate(zip(arrivals, sizes, strict=True)):
        residence += (size - previous) / (1 - load)
        moment = shorter + size**2 * sum(arrivals[k:])
        before, load = load, load + rate * size
        found.append(moment / (2 * (1 - before) * (1 - load)) + residence)
        shorter, previous = shorter + rate * size**2, size
    return found


def lost_share(arrival: float, service: float, servers: int, impatience: float) -> float:
    """M/M/c whose customers leave after an exponential patience, waiting or served: the share that is lost.

    Erlang A with impatience in service too: a birth-death chain with rates l up and min(n, c) mu + n theta
    down; the share is theta E[N] / l.
    """
    weights = [1.0]
    for n in range(1, 500):
        weights.append(weights[-1] * arrival / (min(n, servers) * service + n * impatience))
    p = np.array(weights) / sum(weights)
    return float(impatience * (p * np.arange(len(p))).sum() / arrival)


def two_way_fork_join(arrival: float, service: float) -> float:
    """Mean response of two M/M/1 branches that begin together (Flatto and Hahn, SIAM J. Appl. Math., 1984).

    E[R] = (12 - rho) / (8 (mu - l)).
    """
    return (12 - arrival / service) / (8 * (service - arrival))


def with_breakdowns(arrival: float, service: float, failure: float, repair: float) -> float:
    """M/M/1 whose server is up and down for exponential times, busy or not: mean response.

    With U(z), D(z) the generating functions of the number present while up and down:
    D(z) (l (1 - z) + r) = f U(z),  U(z) (mu - l z - f l z / (l (1 - z) + r)) = mu p_0;
    so E[N] = U'(1) (1 + f / r) + U(1) f l / r^2, and E[T] = E[N] / l (White and Christie, Operations
    Research 6, 1958).
    """
    up = repair / (repair + failure)
    ratio = failure * arrival / repair
    slope = up * (arrival + ratio + ratio * arrival / repair) / (service - arrival - ratio)
    number = slope * (1 + failure / repair) + up * failure * arrival / repair**2
    return number / arrival


def visits(model: Metagraph) -> dict[str, float]:
    """Expected passes of each node by an order: (I - Q')^-1 e, for processes without parallel branches."""
    nodes = [node.id for node in model.nodes]
    weight = {f: w for r in model.routing for f, w in zip(r.flows, r.overall().weights, strict=True)}
    q = np.zeros((len(nodes), len(nodes)))
    for flow in model.flows:
        q[nodes.index(flow.source), nodes.index(flow.target)] += weight.get(flow.id, 1.0)
    start = np.eye(len(nodes))[nodes.index("start")]
    return dict(zip(nodes, np.linalg.solve(np.eye(len(nodes)) - q.T, start).tolist(), strict=True))
