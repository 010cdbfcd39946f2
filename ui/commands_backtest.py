"""The group of commands that hold the twin, or what to do with it, against what happened."""

from __future__ import annotations

import typer

app = typer.Typer(help="Hold the twin's forecasts, or policies, against the past.", no_args_is_help=True)
