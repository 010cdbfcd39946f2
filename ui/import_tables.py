"""What the import commands and `quality` show: tables and sentences for people, or JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from ui.console import OUT, as_json, say, show_table
from ui.quality_words import example_text, found_text

if TYPE_CHECKING:
    from eventlogs.keeping.forgetting import Forgotten
    from eventlogs.keeping.retention import Archive
    from eventlogs.keeping.undoing import Dropped, ImportInfo, Undone
    from eventlogs.quality.quality import QualityReport
    from eventlogs.report import ImportReport
    from eventlogs.taking.looked import Look
    from twin.imports import ListedLog, SetAside

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SURE = 0.75


def show_look(look: Look, json_wanted: bool) -> None:
    """How a file would be read, what is wrong in it, and what to type next."""
    if json_wanted:
        as_json(look)
        return
    OUT.print(f"[bold]{escape(look.source)}[/bold]")
    say(file_text(look))
    if look.object_types:
        types = [(kind, f"{n:,}") for kind, n in look.object_types.items()]
        show_table("Objects, one type of which is the cases", ("type", "objects"), types)
    if look.columns:
        _columns(look)
    if look.read:
        _rows(look)
    for sentence in (*format_texts(look), zone_text(look), *look.assumptions()):
        if sentence:
            say(sentence)
    if look.problems:
        rows = [(p.reason, f"{p.rows:,}", ", ".join(p.places)) for p in look.problems]
        show_table("Rows that can't be used", ("reason", "rows", "where"), rows, (0, 2))
    if look.to_settle:
        OUT.print("\n[bold]To be settled first[/bold]")
        say(look.to_settle)
    OUT.print("\n[bold]Next[/bold]")
    OUT.print(f"  {escape(look.command)}", soft_wrap=True)
    if look.suggested:
        pairs = ",".join(f"{role}={name}" for role, name in look.suggested.items())
        say(f"It leaves out what is only suggested: for what is right of {pairs}, add it to --map.")


def file_text(look: Look) -> str:
    """What kind of file it is."""
    from eventlogs.report import number

    parts = [number(look.rows, "row") if look.rows else "an object-centric log"]
    if look.member:
        parts.append(f"of {look.member} in the archive")
    if look.encoding:
        parts.append(f"encoding {look.encoding}")
    if look.delimiter:
        parts.append(f"delimiter {DELIMITERS.get(look.delimiter, look.delimiter)}")
    if look.decimal:
        parts.append(f"decimal {'comma' if look.decimal == ',' else 'point'}")
    return ", ".join(parts)


def format_texts(look: Look) -> list[str]:
    """How times are read, with the evidence."""
    return [
        f"Times in {time.column!r}: {reading.format}, {reading.rows:,} such as {reading.example!r} "
        f"({reading.decided_by})."
        for time in look.times
        for reading in time.readings
    ]


def zone_text(look: Look) -> str:
    """Which zone is assumed; empty if all times name theirs."""
    zoneless = sum(time.zoneless for time in look.times)
    if not zoneless:
        return ""
    assumed = "UTC, which nobody has confirmed; add --tz ZONE if they are local elsewhere"
    how = assumed if look.tz_assumed else f"times of {look.tz}"
    return f"{zoneless:,} times name no zone: read as {how}."


def _columns(look: Look) -> None:
    role_of = {name: role for role, name in look.candidate.columns.items()}
    rows = []
    for column in look.columns:
        role = role_of.get(column.name, "")
        confidence = look.candidate.confidence.get(role, 0.0)
        sure = f"{role}, {confidence:.0%}" + ("?" if confidence < SURE else "") if role else ""
        rows.append((column.name, sure, f"{column.filled:.0%}", " · ".join(map(_short, column.examples))))
    show_table("Columns", ("column", "read as", "filled", "examples"), rows, (0, 1, 3))
    if any("?" in row[1] for row in rows):
        say("What has a question mark is only a suggestion: --map says it for certain.")


def _rows(look: Look) -> None:
    shown = [
        (
            *(row.place.split()[-1], *map(_on_one_line, (row.case, row.activity, row.resource))),
            *("" if at is None else f"{at:%Y-%m-%d %H:%M:%S}" for at in (row.start, row.end)),
            f"{row.paused_s / 60:,.0f} min" if row.paused_s else "",
            row.problem or "",
        )
        for row in look.read
    ]
    unit = look.read[0].place.rpartition(" ")[0].partition(" of ")[0]
    columns = (unit, "case", "activity", "resource", "start (UTC)", "end (UTC)", "paused", "problem")
    show_table("The first executions as they would be read", columns, shown, (1, 2, 3, 4, 5, 7))


def _on_one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _short(text: str, most: int = 35) -> str:
    text = _on_one_line(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def show_import(report: ImportReport, json_wanted: bool) -> None:
    """What an import found, and what was assumed."""
    if json_wanted:
        as_json(report)
        return
    OUT.print(f"[bold]Log {escape(report.log)}[/bold]")
    for sentence in report.sentences():
        say(sentence)
    unused = _only_suggested(report)
    if unused:
        say(
            "Columns that seem to describe the case were not read as such: for what is right of "
            f"{unused}, take the file again with it in --map."
        )


def _only_suggested(report: ImportReport) -> str:
    """Columns that may be a case's class, segment, due date or value, and were not given as such."""
    from eventlogs.taking.columns import CASE_ROLES, ROLES, guess_mapping

    told = dict.fromkeys([*ROLES, *(role for role in CASE_ROLES if role in report.mapping)], "")
    found = guess_mapping(report.case_attributes, told).columns
    return ",".join(f"{role}={name}" for role, name in found.items())


def show_imports(logs: tuple[ListedLog, ...], json_wanted: bool) -> None:
    """The logs with their histories."""
    if json_wanted:
        as_json(logs)
        return
    if not logs:
        say("No logs yet; 'tracetwin import take FILE' takes one.")
        return
    rows = []
    for log in logs:
        rows += [
            (
                log.name,
                str(i.id),
                f"{i.taken_at:%Y-%m-%d %H:%M}",
                Path(i.source).name,
                f"{i.rows:,}",
                f"{i.executions:,}",
                i.state,
                i.read_as(),
            )
            for i in log.imports
        ]
        if log.live.events:
            events, made = f"{log.live.events:,}", f"{log.live_executions:,}"
            rows.append((log.name, "", "", "live events", events, made, "current", ""))
    columns = ("log", "id", "taken (UTC)", "file", "rows", "executions", "state", "read as")
    show_table("Logs and their imports", columns, rows, (0, 2, 3, 6, 7))
    for log in logs:
        for reason, n in log.live.quarantined.items():
            say(
                f"Log {log.name}: {n:,} live events set aside: {reason}; 'tracetwin import quarantined "
                f"{log.name}' writes them out."
            )


def show_undone(undone: Undone, json_wanted: bool) -> None:
    """What the log's name means now."""
    as_json(undone) if json_wanted else say(undone.sentence())


def show_restored(now: ImportInfo, json_wanted: bool) -> None:
    """What the log's name means now."""
    if json_wanted:
        as_json(now)
        return
    say(f"Log {now.log!r} is the import of {Path(now.source).name} again ({now.read_as()}).")


def show_quarantined(aside: SetAside, json_wanted: bool) -> None:
    """Where the rows and live events are, and what to do with them."""
    if json_wanted:
        as_json(aside)
        return
    if aside.rows:
        say(
            f"{aside.rows:,} rows written to {aside.out}; correct them there (not their first two "
            f"columns) and type 'tracetwin import mend {aside.log} {aside.out}'."
        )
    if aside.events:
        say(
            f"{aside.events:,} live events written to {aside.events_out}; their sender may send "
            "them again, corrected and with new ids."
        )


def show_archive(archive: Archive, json_wanted: bool) -> None:
    """What left the database, and where it went."""
    if json_wanted:
        as_json(archive)
        return
    if archive.note:
        say(archive.note)
    if archive.file is None:
        since = f"{archive.before:%Y-%m-%d %H:%M} UTC"
        say(f"Every closed case of log {archive.log} has an event since {since}; nothing was moved.")
        return
    say(
        f"{archive.cases:,} cases ({archive.executions:,} executions) without an event since "
        f"{archive.before:%Y-%m-%d %H:%M} UTC moved to {archive.file}. "
        f"'tracetwin import take {archive.file} --log {archive.log}_old' makes a log of them again."
    )


def show_forgotten(done: Forgotten | Dropped, json_wanted: bool) -> None:
    """What was deleted, and what couldn't be."""
    from eventlogs.keeping.undoing import Dropped

    if json_wanted:
        as_json(done)
    elif isinstance(done, Dropped):
        say(f"{done.imports:,} superseded imports ({done.executions:,} executions) were deleted for good.")
    else:
        for sentence in (done.sentence(), *done.left):
            say(sentence)


def show_quality(report: QualityReport, json_wanted: bool) -> None:
    """Every doubt with examples and what follows."""
    if json_wanted:
        as_json(report)
        return
    OUT.print(f"[bold]Quality of log {escape(report.log)}[/bold]")
    say(
        f"{report.cases:,} cases, {report.executions:,} executions, {report.running:,} of them running, up "
        f"to {report.until:%Y-%m-%d %H:%M} UTC"
    )
    say(f"{report.rows.equation()}.")
    for sentence in report.live.sentences():
        say(sentence)
    for finding in report.doubts():
        OUT.print(f"\n[bold]{escape(finding.title)}:[/bold] {escape(found_text(finding))}")
        for example in finding.examples:
            say(f"· {example_text(example)}")
        say(finding.consequence)
    clean = [f.title[0].lower() + f.title[1:] for f in report.findings if not f.count]
    if clean:
        OUT.print("\n[bold]Looked for and not found:[/bold]")
        say(f"{'; '.join(clean)}.")
