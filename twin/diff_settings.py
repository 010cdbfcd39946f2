"""What was decided in another way for two twins: by people, or by the build."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from metagraph.model import Metagraph
from twin.diff import Difference


def differences(before: Metagraph, after: Metagraph) -> Iterator[Difference]:
    """Recipe, settings, the order of work in queues, and what was set by hand."""
    old, new = (model.provenance.record if model.provenance else None for model in (before, after))
    if old is not None and new is not None:
        for where, one, other in (("recipe: ", old.recipe, new.recipe), ("", old.settings, new.settings)):
            yield from _values(where, one, other)
    yield from _queues(before, after)
    for target in sorted({(o.target, o.field) for model in (before, after) for o in model.overrides}):
        told = _by_hand(before, target), _by_hand(after, target)
        if told[0] != told[1]:
            yield Difference("overrides", ", ".join(target), told, verdict="decided")


def _by_hand(model: Metagraph, target: tuple[str, str]) -> str:
    return next((o.value for o in model.overrides if (o.target, o.field) == target), "as in the log")


def _values(where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            told = _shown(old.get(name)), _shown(new.get(name))
            yield Difference("settings", where + name, told, verdict="decided")


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _queues(before: Metagraph, after: Metagraph) -> Iterator[Difference]:
    """The order in which queues of the same agents take their work."""
    old, new = ({queue.agents: queue.priority for queue in model.queues} for model in (before, after))
    for agents in sorted(old.keys() & new.keys()):
        if old[agents] != new[agents]:
            what = f"order of work of {', '.join(agents[:3])}" + (" and others" if len(agents) > 3 else "")
            yield Difference("settings", what, (old[agents], new[agents]), verdict="decided")
