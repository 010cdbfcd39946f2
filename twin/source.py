"""From what the user names (a path or a name, of a log or a twin) to what the rooms take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.errors import DataError, UsageError
from metagraph.model import ClosingFact, Ending, Metagraph

if TYPE_CHECKING:
    from eventlogs.closing import ClosingRule
    from eventlogs.historian import Historian
    from eventlogs.live.announcements import Kept
    from eventlogs.live.state import Eta
    from eventlogs.report import ImportReport
    from eventlogs.snapshot import Snapshot

DEFAULT_DB = "tracetwin.duckdb"
FIRST_YEAR, LAST_YEAR = 1900, 2200
KEPT = "snapshot:"
"""Begins the name of a snapshot that a build kept, before the first characters of its hash."""


@dataclass(frozen=True, slots=True)
class LogRequest:
    """A log as the user names it."""

    log: str
    """A file's path, the name of an imported log, or snapshot:HASH for what an earlier build kept."""
    db: str = DEFAULT_DB
    mapping: Mapping[str, str] | None = None
    time_format: str | None = None
    time_zone: str | None = None
    """Of stamps without one; None is UTC, which the report then calls assumed."""
    quarantine: bool = False
    decimal: str | None = None
    """The decimal sign of amounts, where their column doesn't tell."""
    object_type: str | None = None
    """Of an object-centric log: the type whose objects are the cases."""
    as_before: bool = False
    """A file that the database knows is read as it was then, not as the fields above say."""
    until: datetime | None = None
    open_file: Path | None = None
    """Ids of the open cases, one a line; without it the closing rule decides."""
    all_closed: bool = False
    """Every case counts as finished (a log to validate on)."""
    closing: ClosingFact | None = None
    """A rule learnt before (a twin's own), in the log's words; without it one is fitted to the log."""


@dataclass(frozen=True, slots=True)
class LogSource:
    """A log ready to be used."""

    snapshot: Snapshot
    report: ImportReport
    closing: ClosingFact
    open_rule: str
    """How open cases were told, in words."""


def read_log(
    request: LogRequest,
    tell: Callable[[str, float], None] | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> LogSource:
    """Import the log if it is a file, and freeze what was known at `until`.

    Raises DataError or UsageError with one sentence; nothing is left behind then.
    """
    from calibration.left_out import looks_left_out
    from eventlogs import closing as closings
    from eventlogs.freezing import decide_open

    if request.log.startswith(KEPT):
        return _kept(request, on_wait)
    wanted = read_ids(request.open_file) if request.open_file else None
    wanted = frozenset() if request.all_closed else wanted
    raw, report = _taken(request, tell, on_wait)
    rule = closing_rule(request.closing) or closings.fit(raw)
    snapshot = decide_open(raw, wanted, rule)
    fact = _fact(rule)
    words = _in_words(snapshot, fact, request.open_file)
    if wanted is None and request.closing is None and looks_left_out(snapshot):
        unfinished = int(snapshot.is_open.sum())
        snapshot = decide_open(raw, frozenset(), rule)
        words = (
            f"0 open orders: {unfinished} look unfinished, but many more should, and too few orders begin at "
            "the end of the log: unfinished ones were left out of it, and these ended in a rare way; if they "
            "are open, list them with --open"
        )
    return LogSource(snapshot, report, fact, words)


def read_then(request: LogRequest, at: datetime, on_wait: Callable[[str], None] | None = None) -> LogSource:
    """What was known of an imported log at an instant inside it, who was open by a rule learnt from that.

    Unlike a log's end an instant inside it can't lack its unfinished cases: they are in what came later.
    """
    from eventlogs import closing as closings
    from eventlogs.freezing import decide_open

    raw, report = _taken(replace(request, until=at), None, on_wait)
    fact = _fact(rule := closings.fit(raw))
    snapshot = decide_open(raw, None, rule)
    return LogSource(snapshot, report, fact, _in_words(snapshot, fact, None))


def _kept(request: LogRequest, on_wait: Callable[[str], None] | None) -> LogSource:
    """What an earlier build read, as it was then."""
    from eventlogs import closing as closings
    from eventlogs.freezing import decide_open
    from eventlogs.owner.opening import open_historian

    if request.until or request.open_file:
        raise UsageError(f"{request.log} is as it was kept; leave out --until, --as-of and --open")
    with open_historian(request.db, read_only=True, on_wait=on_wait) as historian:
        kept = historian.kept_snapshot(request.log.removeprefix(KEPT))
        snapshot = historian.frozen(kept.content_hash)
    rule = closing_rule(request.closing) or closings.fit(snapshot)
    if request.all_closed:
        snapshot = decide_open(snapshot, frozenset(), rule)
    return LogSource(snapshot, kept.report, _fact(rule), kept.open_rule)


def _taken(
    request: LogRequest,
    tell: Callable[[str, float], None] | None,
    on_wait: Callable[[str], None] | None,
) -> tuple[Snapshot, ImportReport]:
    """What was known at `until`, every case closed; the database is let go as soon as it is read."""
    with opened(request, tell, on_wait) as (historian, name):
        return historian.snapshot(name, request.until, open_cases=()), historian.report(name)


def announced(request: LogRequest) -> dict[str, tuple[Eta, ...]]:
    """By case: when activities of open orders are expected to be done, as live events told by `until`.

    Nothing for a file or a kept snapshot: only logs by name receive events.
    """
    from eventlogs.live.state import Eta

    if request.log.startswith(KEPT) or _is_file(request.log):
        return {}
    with opened(request) as (historian, name):
        told = historian.state_at(name, request.until).etas.to_pylist()
    found: dict[str, tuple[Eta, ...]] = {}
    for row in told:
        case = row.pop("case")
        found[case] = (*found.get(case, ()), Eta(**row))
    return found


def announcement_history(request: LogRequest) -> tuple[Kept, ...]:
    """What was announced and has ended by `until`; nothing for a file or a kept snapshot."""
    if request.log.startswith(KEPT) or _is_file(request.log):
        return ()
    with opened(request) as (historian, name):
        return historian.announcements(name, request.until)


@contextmanager
def opened(
    request: LogRequest,
    tell: Callable[[str, float], None] | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> Iterator[tuple[Historian, str]]:
    """The historian that holds the log, and the log's name there; a file is imported first.

    Raises DataError for what is neither a file nor the name of a log, or can't be read.
    """
    from eventlogs.log_names import log_name
    from eventlogs.owner.opening import open_historian

    is_file, name = _is_file(request.log), request.log
    if not is_file and not Path(request.db).exists():
        raise _no_such_log(request, ())
    with open_historian(request.db, read_only=not is_file, on_wait=on_wait) as historian:
        if is_file:
            take_file(historian, request, None, tell)
            name = log_name(Path(request.log))
        elif all(info.name != name for info in historian.logs()):
            raise _no_such_log(request, [info.name for info in historian.logs()])
        yield historian, name


def take_file(
    historian: Historian,
    request: LogRequest,
    name: str | None = None,
    tell: Callable[[str, float], None] | None = None,
) -> ImportReport:
    """Take the requested file in as log `name` (default: the file's own); what the report says was found."""
    return historian.import_log(
        request.log,
        name,
        mapping=request.mapping,
        time_format=request.time_format,
        tz=request.time_zone,
        progress=tell,
        on_bad_rows="quarantine" if request.quarantine else "refuse",
        as_before=request.as_before,
        decimal=request.decimal,
        object_type=request.object_type,
    )


def _no_such_log(request: LogRequest, known: Sequence[str]) -> DataError:
    return DataError(
        f"{request.log}: neither a file nor a log in {request.db}; imported logs: "
        f"{', '.join(known) or 'none yet'}; give the path of a log file (CSV, XES, Parquet or "
        "OCEL), or one of those names"
    )


def _is_file(log: str) -> bool:
    return Path(log).is_file() or any(sign in log for sign in ("/", "\\", ".csv", ".xes", ".parquet"))


def _fact(rule: ClosingRule) -> ClosingFact:
    endings = tuple(Ending(after, share) for after, share in rule.endings.items())
    return ClosingFact(
        dict(rule.end_activities), rule.min_share, rule.idle_s, dict(rule.idle_after_s), endings
    )


def closing_rule(fact: ClosingFact | None) -> ClosingRule | None:
    """A twin's rule as the rooms below know it."""
    from eventlogs.closing import ClosingRule

    if fact is None:
        return None
    endings = {ending.after: ending.share for ending in fact.endings}
    return ClosingRule(fact.end_activities, fact.idle_s, fact.min_share, fact.idle_after_s, endings)


def _in_words(snapshot: Snapshot, fact: ClosingFact, open_file: Path | None) -> str:
    n = int(snapshot.is_open.sum())
    if open_file:
        return f"{_so_many(n)}, as listed in {open_file.name}"
    ends = {name for name, share in fact.end_activities.items() if share >= fact.min_share}
    ends |= {
        " > ".join(e.after) for e in fact.endings if e.share >= fact.min_share and e.after[-1] not in ends
    }
    last = f"{'one of ' if len(ends) > 1 else ''}{', '.join(sorted(ends)) or '(no activity)'}"
    idle = f"{fact.idle_s / 86400:.1f} days without an event"
    if fact.idle_after_s:
        idle += ", more or less after some activities"
    return (
        f"{_so_many(n)} by the model's rule: closed once nothing runs and the last activity is {last}, or "
        f"after {idle}"
    )


def _so_many(n: int) -> str:
    return "no open order" if n == 0 else "1 open order" if n == 1 else f"{n} open orders"


def read_ids(path: Path) -> frozenset[str]:
    """Case ids, one a line; empty lines are passed over. Raises DataError if the file can't be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise DataError(f"{path} can't be read ({why}); give a text file of case ids, one a line") from error
    return frozenset(line.strip() for line in text.splitlines() if line.strip())


def names_file(reference: str) -> bool:
    """Whether this names a twin's file, not a twin of the registry."""
    return Path(reference).is_file() or reference.endswith(".json")


def read_twin(reference: str, db: str = DEFAULT_DB) -> Metagraph:
    """A twin from a file, or from the registry as name[@version] (the champion by default).

    Raises DataError if it is neither, or not a valid twin.
    """
    from metagraph.json_io import from_json, load

    if names_file(reference):
        return load(Path(reference))
    if not Path(db).exists():
        raise DataError(f"{reference}: no such twin file, and no database {db} that could hold such a name")
    from eventlogs.owner.opening import open_historian

    with open_historian(db, read_only=True) as historian:
        return from_json(historian.load_model(reference), f"{reference} in {db}")


def instant(text: str, option: str) -> datetime:
    """An ISO 8601 instant; without a zone it is UTC.

    Raises UsageError naming the option, also for years that no log is from.
    """
    try:
        stamp = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"{option} {text}: not an instant; expected e.g. 2024-03-01T09:00:00Z") from error
    if not FIRST_YEAR <= stamp.year < LAST_YEAR:
        raise UsageError(f"{option} {text}: expected a year from {FIRST_YEAR} to {LAST_YEAR - 1}")
    return stamp.astimezone(UTC) if stamp.tzinfo else stamp.replace(tzinfo=UTC)
