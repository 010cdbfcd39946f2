"""Results as files: each is whole or absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.errors import DataError
from twin.outlook import LEVELS, Forecast

if TYPE_CHECKING:
    import pandas as pd

QUANTILES = tuple(f"q{round(level * 100):02d}" for level in LEVELS)


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a file beside `path`, then move it there in one step.

    Raises DataError if the folder can't be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent or Path(), prefix=".", suffix=path.name)
    except OSError as error:
        raise DataError(f"{path}: can't be written ({error.strerror}); name a folder that exists") from error
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


def write_text(path: Path, text: str) -> None:
    """A text file, UTF-8."""

    def write(beside: Path) -> None:
        beside.write_text(text, encoding="utf-8")

    write_whole(path, write)


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """A frame as CSV (gzip by the name's end); instants in ISO 8601 UTC with milliseconds."""
    out = frame.copy()
    for column in out.columns:
        if str(out[column].dtype).startswith("datetime64"):
            out[column] = out[column].dt.strftime("%Y-%m-%dT%H:%M:%S.%f").str.slice(stop=-3) + "Z"
    zipped = path.suffix == ".gz"
    write_whole(path, lambda beside: out.to_csv(beside, index=False, compression="gzip" if zipped else None))


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
