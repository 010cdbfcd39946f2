"""Batches in words."""

from __future__ import annotations

from collections.abc import Sequence

from metagraph.batches import Batch
from metagraph.distributions import Constant
from twin.words import number, percent, span

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY_S = 86400


def batch_text(batch: Batch) -> str:
    """'simultaneous: done together when 5 are there, at the latest after 2 h'."""
    done = "done together" if batch.kind == "simultaneous" else "done one after the other"
    ways = []
    if batch.size is not None:
        about = "" if isinstance(batch.size.law, Constant) else "on average "
        ways.append(f"when {about}{number(batch.size.law.mean())} are there")
    if batch.wait_s is not None:
        ways.append(f"{'at the latest ' if ways else ''}after {span(batch.wait_s)}")
    if batch.times:
        ways.append(f"{_times(batch.times)} ({batch.time_zone})")
    longer = f"; each further one adds {percent(batch.per_item)} of its own time" if batch.per_item else ""
    seen = f" ({batch.executions:,} executions in {batch.batches:,} batches)" if batch.executions else ""
    return f"{batch.kind}: {done} {', '.join(ways)}{longer}{seen}"


def _times(times: Sequence[float]) -> str:
    """'every day at 16:00', 'Monday, Friday at 09:00'."""
    days: dict[int, list[int]] = {}
    for at in times:
        day, second = divmod(int(at), _DAY_S)
        days.setdefault(second, []).append(day)
    told = []
    for second, which in sorted(days.items()):
        names = "every day" if len(which) == len(_DAYS) else ", ".join(_DAYS[day] for day in which)
        hours, rest = divmod(second, 3600)
        clock = f"{hours:02d}:{rest // 60:02d}" + (f":{rest % 60:02d}" if rest % 60 else "")
        told.append(f"{names} at {clock}")
    return "; ".join(told)
