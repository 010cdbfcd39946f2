"""The closing rules kept for each log, so that its state can be told without reading all of it."""

from __future__ import annotations

import json
from typing import Any

from duckdb import DuckDBPyConnection

from eventlogs.closing import ClosingRule

_GROWTH = 1.2
"""A closing rule is fitted anew when a log has so many times the cases it had."""


def kept_rule(con: DuckDBPyConnection, log: str) -> ClosingRule | None:
    """The rule last fitted, unless the log has grown a lot since then."""
    found = con.execute(
        "SELECT rule FROM closing_rules WHERE log = $log AND fitted "
        "AND (SELECT count(*) FROM case_state WHERE log = $log) <= $growth * cases",
        {"log": log, "growth": _GROWTH},
    ).fetchall()
    return _read(json.loads(found[0][0])) if found else None


def rule_used(con: DuckDBPyConnection, log: str) -> ClosingRule | None:
    """The rule by which what is kept at hand was chosen: one that was given, or else the fitted one."""
    found = con.execute(
        "SELECT rule FROM closing_rules WHERE log = ? ORDER BY fitted LIMIT 1", [log]
    ).fetchall()
    return _read(json.loads(found[0][0])) if found else None


def keep_rule(con: DuckDBPyConnection, log: str, rule: ClosingRule, *, fitted: bool) -> None:
    """Keep a rule that was fitted to the log as it is now, or else given for it."""
    con.execute("DELETE FROM closing_rules WHERE log = ? AND (NOT fitted OR ?)", [log, fitted])
    con.execute(
        "INSERT INTO closing_rules SELECT ?, ?, count(*), ? FROM case_state WHERE log = ?",
        [log, json.dumps(_written(rule)), fitted, log],
    )


def _written(rule: ClosingRule) -> dict[str, Any]:
    return {
        "end_activities": dict(rule.end_activities),
        "idle_s": rule.idle_s,
        "min_share": rule.min_share,
        "idle_after_s": dict(rule.idle_after_s),
        "endings": [[list(last), share] for last, share in rule.endings.items()],
    }


def _read(content: dict[str, Any]) -> ClosingRule:
    endings = {tuple(last): share for last, share in content.pop("endings")}
    return ClosingRule(**content, endings=endings)
