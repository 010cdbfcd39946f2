"""The pages as one application beside others in the same process."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ui.workspace import DB, HOME

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from service.server import Served

APP = Path(__file__).resolve().parent.parent / "app.py"


def pages(db: Path, routes: Sequence[BaseRoute]) -> ASGIApp:
    """The pages on a database, and `routes` beside them.

    Which hosts may ask is left to whoever serves this.
    """
    import streamlit as st
    from streamlit import config

    os.environ[DB] = str(db.resolve())
    os.environ.setdefault(HOME, str(db.resolve().parent))
    app = st.App(APP, routes=routes)
    config.set_option("server.allowedHosts", ["*"])
    return app


def show_served(served: Served, json_wanted: bool) -> None:
    """Where the database is served."""
    from ui import console

    if json_wanted:
        console.as_json(served)
    elif served.already:
        console.OUT.print(
            f"{served.db} is already served at {served.url} (process {served.pid}).", soft_wrap=True
        )
    else:
        for port in served.taken:
            console.OUT.print(f"Port {port} is in use by another program; the next one is tried.")
        console.OUT.print(f"Serving {served.db} at {served.browse}; Ctrl-C ends it.", soft_wrap=True)
    sys.stdout.flush()
