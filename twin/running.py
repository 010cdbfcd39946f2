"""Many runs of a program, with the progress that long work tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from twin.progress import Progress

if TYPE_CHECKING:
    from simulation.engines import Engine
    from simulation.program import Program
    from simulation.replicate import Replications
    from simulation.run import Run

T = TypeVar("T")


def many(
    source: Callable[[int], Program],
    seed: int,
    replications: int,
    *,
    reduce: Callable[[Run], T],
    workers: int | None,
    progress: Progress,
    what: str,
) -> Replications[T]:
    """What `reduce` makes of runs 0 .. replications - 1, whose logs it may read; `what` is the word for one.

    Raises CancelledError where the user asked to stop.
    """
    from simulation.replicate import replicate
    from simulation.session import Options

    return replicate(
        source,
        seed,
        replications,
        reduce=reduce,
        workers=workers,
        options=Options(),
        progress=counted(progress, what),
        tell=lambda sentence: progress.step(sentence, 0.0),
    )


def counted(progress: Progress, what: str) -> Callable[[int, int], None]:
    """Tells how many of `what` are done; raises CancelledError where the user asked to stop."""
    return lambda done, total: progress.step(f"{what} {done} of {total}", done / total)


def engine_text(engine: Engine) -> str:
    """Which engine ran, and why."""
    return f"{engine.name}: {engine.why}"
