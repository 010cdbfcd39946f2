"""Policies written in Python: what they are asked, and what they see.

    class Promised:
        base = Policy(assignment="JSQ", preemption=False)    # optional: all that isn't asked

        def priority(self, item, now_s):
            return item.order.due_s - item.expected_s

        def queue(self, item, queues, now_s):                # optional
            return min(queues, key=lambda q: q.load).index

Only the reference engine asks them. A policy that wants reproducible runs answers by its arguments alone: it
is shared by all runs and their forks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan
from numbers import Real
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, Protocol

from metagraph.errors import DataError
from metagraph.orders import Order
from simulation.program import Program
from simulation.snapshots import order_of

if TYPE_CHECKING:
    from simulation.items import Item


@dataclass(frozen=True, slots=True)
class ItemView:
    """What a policy sees of the item that joins a queue."""

    order: Order
    """Its id, class, segment, value, dates and attributes."""
    task: str
    """Id of the task's node."""
    activity: str
    visit: int
    """How often the order came to the task, this time included."""
    ready_s: float
    """Since when it waits."""
    expected_s: float
    """Expected remaining work."""
    done_s: float
    """Work done before it was interrupted."""
    preemptions: int


@dataclass(frozen=True, slots=True)
class QueueView:
    """What a policy sees of a queue that serves the task."""

    index: int
    """What it answers to choose it."""
    id: str
    load: int
    """Items that wait or are worked on."""
    waiting: int
    work_s: float
    """Expected remaining work of those that wait."""
    expected_s: float
    """Expected work of this item there."""


class PythonPolicy(Protocol):
    """The least that a policy has to answer. `queue(item, queues, now_s) -> index of one of them` is asked if
    it is there, `base` (a Policy) says all the rest."""

    def priority(self, item: ItemView, now_s: float) -> float:
        """Smallest first. Asked when an item is put into a line: on joining a queue, and after an
        interruption."""


def told(error: BaseException, own: Callable[[str], bool]) -> str:
    """What a user's code raised, and the last line of `own` files that led there, if any did."""
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    lines = [frame for frame in extract_tb(error.__traceback__) if own(frame.filename)]
    return f"{said} ({Path(lines[-1].filename).name}, line {lines[-1].lineno})" if lines else said


def _short(answer: object) -> str:
    """An answer as it is written, its beginning if that is long."""
    try:
        text = repr(answer)
    except Exception:  # integers of thousands of digits, or a user's own class
        return f"a value of type {type(answer).__name__}"
    return text if len(text) <= 60 else f"{text[:40]}…"


class Custom:
    """A policy behind the engine's questions."""

    __slots__ = ("_orders", "_priority", "_program", "_queue")

    def __init__(self, program: Program) -> None:
        policy = program.network.custom
        self._program = program
        self._priority = policy.priority
        self._queue: Callable[[ItemView, tuple[QueueView, ...], float], Any] | None = getattr(
            policy, "queue", None
        )
        self._orders: dict[int, Order] = {}

    def __deepcopy__(self, memo: object) -> Custom:
        return self

    @property
    def chooses(self) -> bool:
        """Whether the policy chooses queues."""
        return self._queue is not None

    def key(self, item: Item, t: float) -> float:
        """The item's key. Raises DataError if the policy fails or gives no number."""
        answer = self._asked("priority", item, self._priority, self._view(item), t)
        if isinstance(answer, Real):
            try:
                key = float(answer)
            except (ArithmeticError, TypeError, ValueError) as error:
                what = f"its priority was {_short(answer)}, which is no float ({error})"
                raise self._fault(item, what) from None
            if not isnan(key):
                return key
        raise self._fault(item, f"its priority was {_short(answer)}: it has to be a number")

    def queue(self, item: Item, queues: Sequence[QueueView], t: float) -> int:
        """The queue to join. Raises DataError if the policy fails or names another one."""
        assert self._queue is not None
        answer = self._asked("queue", item, self._queue, self._view(item), tuple(queues), t)
        indices = [queue.index for queue in queues]
        if isinstance(answer, bool) or not isinstance(answer, Real) or answer not in indices:
            raise self._fault(
                item, f"it chose the queue {_short(answer)}: it has to be the index of one of {indices}"
            )
        return int(float(answer))

    def _asked(self, what: str, item: Item, method: Callable[..., Any], *given: object) -> Any:
        try:
            return method(*given)
        except (Exception, SystemExit) as error:  # a signal to the program is none of the policy's doing
            # The first call in the traceback is the one above.
            inner = error.__traceback__.tb_next if error.__traceback__ else None
            first = "" if inner is None else inner.tb_frame.f_code.co_filename
            module = sys.modules.get(type(self._program.network.custom).__module__)
            own = {first, getattr(module, "__file__", None)}
            raise self._fault(item, f"its {what} raised {told(error, own.__contains__)}") from error

    def _fault(self, item: Item, what: str) -> DataError:
        name = type(self._program.network.custom).__name__
        order, task = self._program.orders.ids[item.journey.order], item.task.node
        node = self._program.network.node_ids[task]
        return DataError(f"the policy {name} failed at order {order}, task {node!r}: {what}")

    def _view(self, item: Item) -> ItemView:
        network, node = self._program.network, item.task.node
        return ItemView(
            order=self._order(item.journey.order),
            task=network.node_ids[node],
            activity=network.labels[network.nodes["label"][node]],
            visit=item.visit,
            ready_s=item.ready,
            expected_s=item.rest,
            done_s=item.done,
            preemptions=item.preemptions,
        )

    def _order(self, index: int) -> Order:
        found = self._orders.get(index)
        if found is None:
            given = self._program.orders.given
            found = order_of(self._program, index) if given is None else given[index]
            self._orders[index] = found
        return found
