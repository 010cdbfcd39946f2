"""Tables out as CSV, whole or not at all."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from metagraph.errors import DataError


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Put a table in the place of a file. Raises DataError when it can't be written."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        partial.replace(path)
    except OSError as error:
        raise DataError(f"{path} can't be written ({error.strerror}); name another file") from None
    finally:
        partial.unlink(missing_ok=True)
