"""tracetwin import …: from a file to a log in the database, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from metagraph.errors import UsageError
from ui.options import (
    DB,
    Config,
    Db,
    Decimal,
    File,
    Json,
    LogName,
    Map,
    ObjectType,
    ProgressFile,
    Quarantine,
    TimeFormat,
    TimeZone,
)


class _Group(TyperGroup):
    """Tells who names a file at once which command takes it."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            known = ", ".join(self.commands)
            raise UsageError(
                f"import {args[0]}: say what to do; 'tracetwin import look {args[0]}' shows how the file "
                f"would be read, 'tracetwin import take {args[0]}' takes it (all: {known})"
            )
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Group,
    help="Look at log files, take them into the database, and undo, mend or forget what was taken.",
    no_args_is_help=True,
)


@app.command()
def look(
    file: File,
    mapping: Map = None,
    config: Config = None,
    time_format: TimeFormat = None,
    tz: TimeZone = None,
    decimal: Decimal = None,
    object_type: ObjectType = None,
    as_json: Json = False,
) -> None:
    """Show how a file would be read, what is wrong in it, and what to type to take it."""
    from twin.imports import look_command
    from twin.requests import log_request
    from ui import console
    from ui.import_tables import show_look

    request = log_request(
        str(file), "", mapping, config, time_format, tz=tz, decimal=decimal, object_type=object_type
    )
    with console.progress() as progress:
        seen = look_command(request, progress)
    show_look(seen, as_json)


@app.command()
def take(
    file: File,
    db: Db = DB,
    name: Annotated[
        str | None, typer.Option("--log", help="Name in the database; default: the file's.")
    ] = None,
    mapping: Map = None,
    config: Config = None,
    time_format: TimeFormat = None,
    tz: TimeZone = None,
    decimal: Decimal = None,
    object_type: ObjectType = None,
    quarantine: Quarantine = False,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Take a log into the database and say what was found and what was assumed."""
    from twin.imports import take_command
    from twin.requests import log_request
    from ui import console
    from ui.import_tables import show_import

    request = log_request(
        *(str(file), db, mapping, config, time_format, quarantine),
        tz=tz,
        decimal=decimal,
        object_type=object_type,
    )
    with console.progress(progress_file) as progress:
        report = take_command(request, name, progress)
    show_import(report, as_json)


@app.command("list")
def list_imports(db: Db = DB, as_json: Json = False) -> None:
    """List the logs with all their imports, and which one each name means."""
    from twin.imports import list_command
    from ui.import_tables import show_imports

    show_imports(list_command(db), as_json)


@app.command()
def undo(name: LogName, db: Db = DB, as_json: Json = False) -> None:
    """Undo a log's current import; the one before it is current again."""
    from twin.imports import undo_command
    from ui.import_tables import show_undone

    show_undone(undo_command(db, name), as_json)


@app.command()
def restore(
    name: LogName,
    number: Annotated[int, typer.Argument(metavar="ID", help="The import's id in 'import list'.")],
    db: Db = DB,
    as_json: Json = False,
) -> None:
    """Make an earlier or undone import of a log current again, also a mended one."""
    from twin.imports import restore_command
    from ui.import_tables import show_restored

    show_restored(restore_command(db, name, number), as_json)


@app.command()
def quarantined(
    name: LogName,
    out: Annotated[Path, typer.Option("--out", help="Where to write the rows (CSV).")],
    db: Db = DB,
    as_json: Json = False,
) -> None:
    """Write what was set aside to a file, each row with the reason; live events to OUT.live.csv beside it."""
    from twin.imports import quarantined_command
    from ui.import_tables import show_quarantined

    show_quarantined(quarantined_command(db, name, out), as_json)


@app.command()
def mend(
    name: LogName,
    fixed: Annotated[Path, typer.Argument(metavar="ROWS.csv", help="The rows, corrected.")],
    file: Annotated[
        Path | None, typer.Option("--file", help="The log's file, if it isn't where it was taken from.")
    ] = None,
    db: Db = DB,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Take a log again with corrected rows in the places of those that were set aside."""
    from twin.imports import mend_command
    from ui import console
    from ui.import_tables import show_import

    with console.progress(progress_file) as progress:
        report = mend_command(db, name, fixed, file, progress)
    show_import(report, as_json)


@app.command()
def retain(
    name: LogName,
    days: Annotated[float, typer.Option("--days", help="Closed cases without an event for longer leave.")],
    db: Db = DB,
    as_json: Json = False,
) -> None:
    """Move old closed cases out of a log, to a Parquet file beside the database."""
    from twin.imports import retain_command
    from ui.import_tables import show_archive

    show_archive(retain_command(db, name, days), as_json)


@app.command()
def forget(
    case: Annotated[str | None, typer.Option("--case", help="The id of a case to delete.")] = None,
    person: Annotated[
        str | None, typer.Option("--person", help="A resource whose name is to be deleted.")
    ] = None,
    superseded: Annotated[
        str | None, typer.Option("--superseded", help="A log whose imports but the current one are to go.")
    ] = None,
    db: Db = DB,
    as_json: Json = False,
) -> None:
    """Delete a case or a person's name everywhere, or a log's old imports, for good."""
    from twin.imports import forget_command
    from ui.import_tables import show_forgotten

    show_forgotten(forget_command(db, case, person, superseded), as_json)
