"""tracetwin models …: the versions of twins that the database keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ui.options import DB, Db, Json, ProgressFile, Twin

app = typer.Typer(
    help="The versions of twins that the database keeps: list, compare, promote, roll back, take elsewhere.",
    no_args_is_help=True,
)
Version = Annotated[str, typer.Argument(metavar="NAME@VERSION", help="A version that the database keeps.")]
Kept = Annotated[
    str, typer.Argument(metavar="NAME[@VERSION]", help="A kept version; the champion without one.")
]
Who = Annotated[str | None, typer.Option("--who", help="Who says so; your login name if not given.")]
Why = Annotated[str, typer.Option("--why", help="The reason, for the history.")]


@app.command("list")
def list_(
    name: Annotated[str | None, typer.Argument(help="Only versions of this name.")] = None,
    db: Db = DB,
    as_json: Json = False,
) -> None:
    """Every version by name: what it is, since when, who said so and why."""
    from twin.registry import list_models
    from ui import results_models

    results_models.show_list(list_models(db, name), as_json)


@app.command()
def show(model: Kept, db: Db = DB, as_json: Json = False) -> None:
    """One version: where it comes from, how it was built, and the history of its name."""
    from twin.registry import show_model
    from ui import results_models

    results_models.show_kept(show_model(db, model), as_json)


@app.command()
def diff(
    before: Twin,
    after: Annotated[str | None, typer.Argument(metavar="[TWIN]", help="Held against the first one.")] = None,
    chart: Annotated[Path | None, typer.Option(help="Draw it to this file: .svg, .png or .html.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write a row a difference to this file (CSV).")] = None,
    db: Db = DB,
    as_json: Json = False,
) -> None:
    """How two twins differ, and what of it chance can't explain; one version alone: from the champion."""
    from twin.diff_command import diff_command
    from ui import results_models

    results_models.show_diff(diff_command(db, before, after, chart, out), as_json, chart, out)


@app.command()
def promote(model: Version, why: Why = "", who: Who = None, db: Db = DB, as_json: Json = False) -> None:
    """Make a version the champion: the one that the name alone means. The champion so far retires."""
    from twin.registry import promote_model
    from ui import results_models

    results_models.show_changed(promote_model(db, model, _name(who), why), as_json)


@app.command()
def rollback(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A twin's name, without a version.")],
    why: Why = "",
    who: Who = None,
    db: Db = DB,
    as_json: Json = False,
) -> None:
    """Go back to the champion before the current one, which is rejected; again: one step further."""
    from twin.registry import rollback_model
    from ui import results_models

    results_models.show_changed(rollback_model(db, name, _name(who), why), as_json)


@app.command()
def mark(
    model: Version,
    state: Annotated[Literal["built", "challenger", "retired", "rejected"], typer.Argument(metavar="STATE")],
    why: Why = "",
    who: Who = None,
    db: Db = DB,
    as_json: Json = False,
) -> None:
    """Say what a version is that isn't the champion: built, challenger, retired or rejected."""
    from twin.registry import mark_model
    from ui import results_models

    results_models.show_changed(mark_model(db, model, state, _name(who), why), as_json)


@app.command()
def export(
    model: Kept,
    out: Annotated[Path, typer.Option("--out", help="A folder or .zip that isn't there yet.")],
    db: Db = DB,
    as_json: Json = False,
) -> None:
    """Write a version with its snapshot and provenance, so that it can be built again anywhere."""
    from twin.registry import export_model
    from ui import results_models

    results_models.show_exported(export_model(db, model, out), out, as_json)


@app.command()
def rebuild(
    model: Annotated[
        str, typer.Argument(metavar="NAME[@VERSION]|EXPORT", help="A kept version or an export.")
    ],
    twin: Annotated[Path | None, typer.Option("--twin", help="Write the rebuilt twin to this file.")] = None,
    db: Db = DB,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Build a version again from its snapshot and say whether it is the same, byte for byte."""
    from twin.registry import rebuild_model
    from ui import console, results_models

    with console.progress(progress_file) as progress:
        found = rebuild_model(db, model, twin, progress)
    results_models.show_rebuilt(found, model, twin, as_json)


def _name(who: str | None) -> str:
    from getpass import getuser

    return who if who is not None else getuser()
