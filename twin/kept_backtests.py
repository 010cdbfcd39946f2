"""Backtests that the database keeps: what was tried on which past, when, and what came out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from metagraph.model import Metagraph

if TYPE_CHECKING:
    from eventlogs.keeping.backtests import Kind
    from twin.backtest_forecast_result import ForecastBacktest
    from twin.backtest_results import PolicyBacktest
    from twin.source import LogSource


@dataclass(frozen=True, slots=True)
class BacktestLine:
    """One kept backtest in a list."""

    number: int
    kind: str
    twin: str
    """With its version, where the database keeps it."""
    log: str
    content_hash: str
    """Of the log's snapshot, which is kept."""
    twin_hash: str
    made_at: datetime
    asked: Mapping[str, Any]
    """The options."""


def keep(
    kind: Kind,
    db: str,
    named: str,
    model: Metagraph | None,
    source: LogSource,
    asked: Mapping[str, Any],
    report: object,
) -> int:
    """Keep a result with the snapshot that it rests on; its number. `named`: the twin as it was asked for, a
    file or a name of the database; '': neither."""
    from eventlogs.keeping.backtests import Tried
    from eventlogs.keeping.recalibrations import Learnt
    from eventlogs.owner.opening import open_historian
    from metagraph.json_io import to_json
    from twin.json_out import dump
    from twin.source import names_file

    text = "" if model is None else to_json(model)
    with open_historian(db) as historian:
        version, name = None, named or ("built" if model is None else model.name)
        if model is not None and named and not names_file(named):
            version, name = historian.find_model(named).version, named.split("@", maxsplit=1)[0]
        snapshot = source.snapshot
        tried = Tried(
            kind,
            name,
            version,
            hashlib.sha256(text.encode()).hexdigest() if text else "",
            snapshot.name,
            snapshot.content_hash,
            json.dumps(asked, default=str),
        )
        kept = historian.keep_backtest(tried, dump(report), Learnt(snapshot, source.report, source.open_rule))
    return kept.id


def backtests_of(db: str, twin: str | None = None) -> tuple[BacktestLine, ...]:
    """All kept backtests, or those of a twin, oldest first."""
    from eventlogs.owner.opening import open_historian

    with open_historian(db, read_only=True) as historian:
        kept = historian.backtests(twin)
    return tuple(
        BacktestLine(
            number=one.id,
            kind=one.tried.kind,
            twin=one.tried.twin + ("" if one.tried.version is None else f"@{one.tried.version}"),
            log=one.tried.log,
            content_hash=one.tried.content_hash,
            twin_hash=one.tried.twin_hash,
            made_at=one.made_at,
            asked=json.loads(one.tried.asked),
        )
        for one in kept
    )


def kept_backtest(db: str, number: int) -> PolicyBacktest | ForecastBacktest:
    """A result as it was kept. Raises DataError when there is none of this number."""
    from eventlogs.owner.opening import open_historian
    from twin.backtest_forecast_result import ForecastBacktest
    from twin.backtest_results import read_backtest
    from twin.json_out import read

    with open_historian(db, read_only=True) as historian:
        kept = historian.backtest(number)
    if kept.tried.kind == "forecasts":
        return read(ForecastBacktest, kept.report)
    return read_backtest(kept.report)
