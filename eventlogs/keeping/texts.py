"""A name taken out of texts and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

SHORTEST_IN_PROSE = 3
"""Shorter names are words of their own ("A", "in"), so that sentences are left as they are."""
_AGENTS = frozenset({"agent", "agents", "apart", "who"})
_PROSE = frozenset({"defaults", "facts", "choices", "overrides", "approvals", "note", "notes"})


def literals(name: str) -> tuple[str, str]:
    """How a text may stand in JSON."""
    return json.dumps(name), json.dumps(name, ensure_ascii=False)


def values_replaced(text: str, name: str, label: str) -> str:
    """JSON in which every string that equals the name is the label; keys stay."""

    def mended(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: mended(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [mended(inner) for inner in value]
        return label if value == name else value

    return json.dumps(mended(json.loads(text)), ensure_ascii=False)


def values(text: str) -> list[Any]:
    """Every value in JSON that holds no other one."""
    found: list[Any] = []

    def collect(value: Any) -> None:
        if isinstance(value, dict | list):
            for inner in value.values() if isinstance(value, dict) else value:
                collect(inner)
        else:
            found.append(value)

    collect(json.loads(text))
    return found


def in_prose(text: str, name: str, label: str) -> str:
    """A sentence with the label in place of the name, where it stands as a whole word."""
    if len(name) < SHORTEST_IN_PROSE:
        return text
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", lambda _: label, text)


def notes_replaced(text: str, name: str, label: str) -> str:
    """A report in which the name is replaced in every note."""

    def mended(value: str, path: tuple[str, ...]) -> str:
        return in_prose(value, name, label) if "notes" in path else value

    return json.dumps(_walk(json.loads(text), mended), ensure_ascii=False, sort_keys=True)


def told_replaced(text: str, name: str, label: str) -> str:
    """A report as JSON in which the name is replaced wherever it is told."""

    def mended(value: str, path: tuple[str, ...]) -> str:
        return label if value == name else in_prose(value, name, label)

    return json.dumps(_walk(json.loads(text), mended), ensure_ascii=False, indent=1)


def twin_replaced(text: str, name: str, label: str) -> str:
    """A twin whose agent of that name bears the label, also in what is said about it."""

    def mended(value: str, path: tuple[str, ...]) -> str:
        if value == name and not _AGENTS.isdisjoint(path):
            return label
        return in_prose(value, name, label) if not _PROSE.isdisjoint(path) else value

    return json.dumps(_walk(json.loads(text), mended), ensure_ascii=False, indent=1) + "\n"


def _walk(value: Any, change: Callable[[str, tuple[str, ...]], str], path: tuple[str, ...] = ()) -> Any:
    if isinstance(value, dict):
        return {key: _walk(inner, change, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_walk(inner, change, path) for inner in value]
    return change(value, path) if isinstance(value, str) else value
