"""Twins kept by name and version in the historian's file, and what became of each version.

A version never changes. One version of a name is its champion: the one that the name alone means. The first
version that is kept under a name is its champion until another one is promoted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from duckdb import DuckDBPyConnection

from metagraph.errors import DataError

State = Literal["built", "challenger", "champion", "retired", "rejected"]
"""`built`: kept and not looked at; `challenger`: to be compared with the champion; `champion`: the version
that the name alone means; `retired`: was champion, or isn't wanted any more; `rejected`: not to be used."""
FIRST = "the first version of its name"
ROLLED_BACK = "rolled back"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One kept version of a twin."""

    name: str
    version: int
    created_at: datetime
    notes: str
    state: State
    since: datetime
    """When it came to be in that state."""
    who: str
    """Who said so; empty: nobody knows."""
    why: str

    @property
    def champion(self) -> bool:
        """Whether it is meant when no version is named."""
        return self.state == "champion"

    @property
    def reference(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class ModelChange:
    """One change of a version's state."""

    name: str
    version: int
    action: str
    """`built`, `promoted`, `rolled back`, or the state that was set."""
    state: State
    """What it was from then on."""
    at: datetime
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class By:
    """Who changes something, when and why."""

    who: str
    why: str
    at: datetime


def save(con: DuckDBPyConnection, name: str, json_text: str, notes: str, by: By, challenger: bool) -> int:
    """Keep a twin as the next version of its name; the first becomes champion. Returns the version."""
    if "@" in name or not name.strip():
        raise DataError(f"{name!r} can't name a twin; use a name without @")
    version = 1 + max((info.version for info in listed(con) if info.name == name), default=0)
    state: State = "champion" if version == 1 else "challenger" if challenger else "built"
    con.execute(
        "INSERT INTO models VALUES (?, ?, ?, ?, ?, ?)", [name, version, by.at, json_text, notes, state]
    )
    why = "; ".join(filter(None, (by.why, FIRST if version == 1 else "")))
    _enter(con, ModelChange(name, version, "built", state, by.at, by.who, why))
    return version


def load(con: DuckDBPyConnection, reference: str) -> str:
    """The JSON of `name` (its champion) or `name@version`. Raises DataError naming what there is."""
    found = find(con, reference)
    rows = con.execute(
        "SELECT twin FROM models WHERE name = ? AND version = ?", [found.name, found.version]
    ).fetchall()
    return str(rows[0][0])


def find(con: DuckDBPyConnection, reference: str) -> ModelInfo:
    """The version meant by `name` (its champion) or `name@version`. Raises DataError naming what there is."""
    name, at, version = reference.partition("@")
    infos = listed(con)
    if version.isdecimal() or not at:
        for info in infos:
            if info.name == name and (info.version == int(version) if at else info.champion):
                return info
    known = ", ".join(info.reference for info in infos) or "none"
    raise DataError(f"there is no twin {reference!r} in the database; it holds: {known}")


def listed(con: DuckDBPyConnection) -> tuple[ModelInfo, ...]:
    """Every kept version, by name and version."""
    rows = con.execute(
        """
        SELECT m.name, m.version, m.created_at, m.notes, m.state, c.changed_at, c.who, c.why
        FROM models m
        JOIN model_changes c USING (name, version)
        WHERE c.id = (SELECT max(id) FROM model_changes l WHERE l.name = m.name AND l.version = m.version)
        ORDER BY m.name, m.version
        """
    ).fetchall()
    return tuple(ModelInfo(*row) for row in rows)


def history(con: DuckDBPyConnection, name: str) -> tuple[ModelChange, ...]:
    """Every change of a name's versions, oldest first. Raises DataError when there is no such name."""
    rows = con.execute(
        "SELECT name, version, action, state, changed_at, who, why FROM model_changes "
        "WHERE name = ? ORDER BY id",
        [name],
    ).fetchall()
    if not rows:
        find(con, name)
    return tuple(ModelChange(*row) for row in rows)


def promote(con: DuckDBPyConnection, reference: str, by: By, instead_of: int | None) -> None:
    """Make a version the champion; the champion so far retires.

    Raises DataError when there is no such version, when it is the champion already, or when the champion is
    another version than `instead_of`, where that is given.
    """
    info = find(con, reference)
    if info.champion:
        raise DataError(f"{info.reference} is the champion already: nothing was changed")
    before = find(con, info.name)
    if instead_of is not None and before.version != instead_of:
        raise DataError(
            f"{info.reference} was to take the place of {info.name}@{instead_of}, but the champion is "
            f"{before.reference} by now: compare with that one, and promote again"
        )
    retired = By(by.who, f"{info.reference} was promoted", by.at)
    _set(con, before, "retired", "retired", retired)
    _set(con, info, "promoted", "champion", by)


def rollback(con: DuckDBPyConnection, name: str, by: By) -> ModelInfo:
    """Make the champion before the current one champion again and reject the current one; the new champion.

    Doing so again goes one step further back. Raises DataError when there is none before it.
    """
    info = find(con, name)
    if info.name != name:
        raise DataError(f"{name}: name the twin alone, without a version: {info.name}")
    champions: list[int] = []
    for change in history(con, name):
        if change.action == ROLLED_BACK:
            champions.pop()
        elif change.state == "champion":
            champions.append(change.version)
    if len(champions) < 2:
        raise DataError(f"{info.reference} is the first champion of its name: there is none to go back to")
    earlier = find(con, f"{name}@{champions[-2]}")
    _set(con, info, "rejected", "rejected", By(by.who, by.why or "it was rolled back", by.at))
    _set(con, earlier, ROLLED_BACK, "champion", By(by.who, f"instead of {info.reference}", by.at))
    return find(con, name)


def set_state(con: DuckDBPyConnection, reference: str, state: State, by: By) -> None:
    """Say what a version is that isn't the champion. Raises DataError for the champion and as a new one."""
    info = find(con, reference)
    if state == "champion":
        raise DataError(f"{info.reference} becomes champion by being promoted")
    if info.champion:
        raise DataError(
            f"{info.reference} is the champion and can't be {state}: promote another version, or roll back"
        )
    _set(con, info, state, state, by)


def _set(con: DuckDBPyConnection, info: ModelInfo, action: str, state: State, by: By) -> None:
    con.execute(
        "UPDATE models SET state = ? WHERE name = ? AND version = ?", [state, info.name, info.version]
    )
    _enter(con, ModelChange(info.name, info.version, action, state, by.at, by.who, by.why))


def _enter(con: DuckDBPyConnection, change: ModelChange) -> None:
    con.execute(
        "INSERT INTO model_changes (name, version, action, state, changed_at, who, why) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            *(change.name, change.version, change.action, change.state),
            *(change.at, change.who, change.why),
        ],
    )
