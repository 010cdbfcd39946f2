"""Results as files: each is whole or absent."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.errors import DataError, UsageError
from twin.outlook import LEVELS, Forecast

if TYPE_CHECKING:
    import pandas as pd

PICTURES = (".svg", ".png", ".html")
"""Ends of names of files that a chart can be written to."""
QUANTILES = tuple(f"q{round(level * 100):02d}" for level in LEVELS)


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then move it there in one step.

    Raises DataError if it can't be written there.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.name)
        os.close(handle)
        beside = Path(name)
        try:
            write(beside)
            os.chmod(beside, 0o644)
            beside.replace(path)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise
    except OSError as error:
        raise _unwritable(path, error.strerror) from error


def check_writable(*paths: Path | None) -> None:
    """Raise DataError for the first place where no file can be written: asked before long work begins."""
    for path in paths:
        if path is None:
            continue
        if path.is_dir():
            raise _unwritable(path, "it is a folder")
        if not path.parent.is_dir():
            raise _unwritable(path, "there is no such folder")
        if not os.access(path.parent, os.W_OK):
            raise _unwritable(path, "no permission")


def check_picture_name(path: Path | None, option: str = "--chart") -> None:
    """Raise UsageError for a chart's name that ends in something else."""
    if path is not None and path.suffix not in PICTURES:
        raise UsageError(f"{option} {path}: expected a name that ends in {', '.join(PICTURES)}")


def _unwritable(path: Path, why: str | None) -> DataError:
    return DataError(f"{path} can't be written ({why}); name a file in a folder that exists and is yours")


def write_text(path: Path, text: str) -> None:
    """A text file, UTF-8."""

    def write(beside: Path) -> None:
        beside.write_text(text, encoding="utf-8")

    write_whole(path, write)


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """A frame as CSV (gzip by the name's end); instants in ISO 8601 UTC with milliseconds.

    The same frame gives the same bytes.
    """
    out = frame.copy()
    for column in out.columns:
        if str(out[column].dtype).startswith("datetime64"):
            out[column] = out[column].dt.strftime("%Y-%m-%dT%H:%M:%S.%f").str.slice(stop=-3) + "Z"
    content = out.to_csv(index=False, lineterminator="\n").encode()
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    write_whole(path, lambda beside: _fill(beside, content))


def _fill(beside: Path, content: bytes) -> None:
    beside.write_bytes(content)


def write_forecast(path: Path, forecast: Forecast) -> None:
    """Columns case_id, q05 ... q95: completion instants, a row an open order."""
    import pandas as pd

    rows = [[o.case_id, *(_stamp(q) for q in o.quantiles)] for o in forecast.orders]
    write_frame(path, pd.DataFrame(rows, columns=["case_id", *QUANTILES]))


def write_system(path: Path, forecast: Forecast) -> None:
    """Columns horizon_h, metric, q05 ... q95: counts."""
    import pandas as pd

    rows = [[s.horizon_h, s.metric, *s.quantiles] for s in forecast.system]
    write_frame(path, pd.DataFrame(rows, columns=["horizon_h", "metric", *QUANTILES]))


def _stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
