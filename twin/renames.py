"""The twin's names of activities and agents, and those that the log goes on using for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from metagraph.errors import DataError
from metagraph.model import ClosingFact, Metagraph
from twin.words import few

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

_ACTIVITY = "activity "


def renames(metagraph: Metagraph) -> dict[str, str]:
    """The log's name of an activity -> the twin's, for those renamed by hand."""
    return {
        override.target.removeprefix(_ACTIVITY): override.value
        for override in metagraph.overrides
        if override.field == "name" and override.target.startswith(_ACTIVITY)
    }


def in_twin_words(metagraph: Metagraph, snapshot: Snapshot) -> Snapshot:
    """The snapshot with the twin's names of activities, and of the agents that stand for several people."""
    names = renames(metagraph)
    crews = {person: agent.id for agent in metagraph.agents for person in agent.members}
    return replace(
        snapshot,
        activities=tuple(names.get(name, name) for name in snapshot.activities),
        resources=tuple(crews.get(name, name) for name in snapshot.resources),
    )


def unshared(metagraph: Metagraph, snapshot: Snapshot) -> tuple[list[str], list[str]]:
    """The activities that only the log and that only the twin has, in the twin's words.

    Raises DataError if they have none in common: the log is of another process.
    """
    ours = dict.fromkeys(task.label for task in metagraph.tasks())
    theirs = dict.fromkeys(in_twin_words(metagraph, snapshot).activities)
    log_only, twin_only = (
        [a for a in one if a not in other] for one, other in ((theirs, ours), (ours, theirs))
    )
    if theirs and len(log_only) == len(theirs):
        raise DataError(
            f"log {snapshot.name!r} has none of the twin's activities (the log: {few(log_only)}; the twin: "
            f"{few(twin_only)}), so it is of another process; give a log of the process that the twin is of"
        )
    return log_only, twin_only


def closing_in_log_words(metagraph: Metagraph) -> ClosingFact | None:
    """The twin's rule on which cases are over, with the log's names of activities."""
    rule = metagraph.closing
    if rule is None:
        return None
    names = {new: old for old, new in renames(metagraph).items()}
    return replace(
        rule,
        end_activities=_renamed(rule.end_activities, names),
        idle_after_s=_renamed(rule.idle_after_s, names),
        endings=tuple(replace(e, after=tuple(names.get(a, a) for a in e.after)) for e in rule.endings),
    )


def _renamed(table: Mapping[str, float], names: Mapping[str, str]) -> dict[str, float]:
    return {names.get(name, name): value for name, value in table.items()}
