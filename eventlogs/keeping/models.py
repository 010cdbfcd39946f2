"""Twins kept by name and version in the historian's file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from duckdb import DuckDBPyConnection

from metagraph.errors import DataError


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One kept version of a twin."""

    name: str
    version: int
    created_at: datetime
    notes: str
    champion: bool
    """The version meant when none is named."""
    approved_by: str | None
    approved_at: datetime | None


def save(con: DuckDBPyConnection, name: str, json_text: str, notes: str, created_at: datetime) -> int:
    """Keep a twin as the next version of its name; the first becomes champion. Returns the version."""
    if "@" in name or not name.strip():
        raise DataError(f"{name!r} can't name a twin; use a name without @")
    version = int(
        con.execute("SELECT coalesce(max(version), 0) + 1 FROM models WHERE name = ?", [name]).fetchall()[0][
            0
        ]
    )
    con.execute(
        "INSERT INTO models VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)",
        [name, version, created_at, json_text, notes, version == 1],
    )
    return version


def load(con: DuckDBPyConnection, reference: str) -> str:
    """The JSON of `name` (its champion) or `name@version`. Raises DataError naming what there is."""
    name, at, version = reference.partition("@")
    if version.isdigit() or not at:
        found = con.execute(
            "SELECT twin FROM models WHERE name = ? AND " + ("version = ?" if at else "champion"),
            [name, int(version)] if at else [name],
        ).fetchall()
        if found:
            return str(found[0][0])
    known = ", ".join(f"{m.name}@{m.version}" for m in listed(con)) or "none"
    raise DataError(f"there is no twin {reference!r} in the database; it holds: {known}")


def listed(con: DuckDBPyConnection) -> tuple[ModelInfo, ...]:
    """Every kept version, by name and version."""
    rows = con.execute(
        "SELECT name, version, created_at, notes, champion, approved_by, approved_at FROM models "
        "ORDER BY name, version"
    ).fetchall()
    return tuple(ModelInfo(*row) for row in rows)


def approve(con: DuckDBPyConnection, name: str, version: int, who: str, when: datetime) -> None:
    """Record who approved a version and make it the champion. Raises DataError when it doesn't exist."""
    load(con, f"{name}@{version}")
    con.execute("UPDATE models SET champion = (version = ?) WHERE name = ?", [version, name])
    con.execute(
        "UPDATE models SET approved_by = ?, approved_at = ? WHERE name = ? AND version = ?",
        [who, when, name, version],
    )
