"""How much memory the database may take, and where it puts what doesn't fit."""

from __future__ import annotations

import os
import re
import tempfile
import uuid
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from eventlogs.sql import quoted
from metagraph.errors import UsageError

VARIABLE = "TRACETWIN_MEMORY"
_SHARE, _MOST = "50%", "4GB"
"""By default: a larger cache makes nothing faster up to tens of millions of events."""
_AMOUNT = re.compile(r"\d*[1-9]\d*(\.\d+)? ?([MGT]i?B|%)", re.IGNORECASE)


def limit_memory(con: DuckDBPyConnection, *, in_memory: bool) -> None:
    """Keep the database within the environment's TRACETWIN_MEMORY, or half of the RAM and 4 GB at most.

    What is more goes to files beside the database, those of one in memory to the system's folder for
    temporary files. Raises UsageError when the variable is no amount of memory.
    """
    amount = os.environ.get(VARIABLE, "").strip()
    fault = UsageError(f"{VARIABLE}={amount!r} is no amount of memory; write it as 4GB, 500MB or 50%")
    if amount and not _AMOUNT.fullmatch(amount):
        raise fault
    try:
        con.execute(f"SET memory_limit = '{amount or _SHARE}'")
    except duckdb.Error:
        raise fault from None
    most = f"parse_formatted_bytes(current_setting('memory_limit')) > parse_formatted_bytes('{_MOST}')"
    if not amount and con.execute(f"SELECT {most}").fetchall()[0][0]:
        con.execute(f"SET memory_limit = '{_MOST}'")
    if in_memory:
        folder = Path(tempfile.gettempdir()) / f"tracetwin-{uuid.uuid4().hex}"
        con.execute(f"SET temp_directory = {quoted(folder)}")
