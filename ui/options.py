"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

HIGHEST_SEED = 2**32 - 1
DB = "tracetwin.duckdb"

Log = Annotated[
    str, typer.Argument(metavar="LOG", help="A log file's path, an imported log's name, or snapshot:HASH.")
]
LogName = Annotated[str, typer.Argument(metavar="NAME", help="The name of an imported log.")]
File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A log: CSV, TSV, Parquet, XES or OCEL 2.0, packed or not.")
]
Twin = Annotated[str, typer.Argument(metavar="TWIN", help="A twin file's path, or name\\[@version].")]
Db = Annotated[str, typer.Option("--db", help="The database file.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Map = Annotated[
    str | None,
    typer.Option(
        "--map",
        help="Which column is what: case=…,activity=…,resource=…,start=…,end=… (or timestamp=… alone); also "
        "lifecycle, instance, and of the case class, segment, due, value. Roles left out are found by name; "
        "ROLE= says there is none.",
    ),
]
Seed = Annotated[
    int, typer.Option("--seed", min=0, max=HIGHEST_SEED, help="The same seed gives the same result.")
]
LogEnd = Annotated[
    Literal["none", "instant", "unknown"] | None,
    typer.Option(
        "--log-end",
        help="Cases that were unfinished at the end of the log: none are missing from it, dropped at an "
        "instant, or dropped in a way that isn't known. Simulated logs are cut alike; by default as the log "
        "that the twin was built from suggests.",
    ),
]
Config = Annotated[Path | None, typer.Option("--config", help="twin.toml; see docs/configuration.md.")]
Open = Annotated[Path | None, typer.Option("--open", help="File with the ids of the open cases, one a line.")]
Quarantine = Annotated[
    bool, typer.Option("--quarantine", help="Set unusable rows aside instead of refusing the file.")
]
TimeFormat = Annotated[
    str | None,
    typer.Option("--time-format", help="dmy, mdy, ymd or a strptime pattern, where times are ambiguous."),
]
TimeZone = Annotated[
    str | None,
    typer.Option("--tz", help="Zone of times that name none, e.g. Europe/Paris; UTC is assumed without it."),
]
Decimal = Annotated[
    str | None, typer.Option("--decimal", help="The decimal sign of amounts, , or . where they don't tell.")
]
ObjectType = Annotated[
    str | None,
    typer.Option("--object-type", help="Of an object-centric log (OCEL): which objects are the cases."),
]
ProgressFile = Annotated[
    Path | None,
    typer.Option("--progress-file", help="Also append progress to this file, a JSON line a step."),
]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes; all cores if not given.")]
