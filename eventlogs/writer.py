"""Snapshots as files that every tool reads."""

from __future__ import annotations

import csv
import gzip
import io
import os
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from eventlogs.snapshot import Snapshot
from metagraph.errors import DataError

COLUMNS = ("case_id", "activity", "resource", "start_time", "end_time")


def write_log(path: str | os.PathLike[str], snapshot: Snapshot) -> None:
    """Write COLUMNS and the case attributes as CSV, gzipped if the name ends in .gz; whole or not at all.

    Times are ISO 8601 UTC, rounded to milliseconds; a missing resource or end is empty. Raises DataError when
    the file can't be written.
    """
    target = Path(path)
    try:
        handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as raw:
                if target.suffix == ".gz":
                    # No name and time inside: the same log gives the same bytes.
                    with gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as packed:
                        _write(cast(BinaryIO, packed), snapshot)
                else:
                    _write(cast(BinaryIO, raw), snapshot)
            os.chmod(beside, 0o644)
            os.replace(beside, target)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise DataError(f"{target} can't be written: {error.strerror}") from None


def _write(out: BinaryIO, snapshot: Snapshot) -> None:
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([*COLUMNS, *snapshot.attributes])
    rows.writerows(_rows(snapshot))
    text.flush()
    text.detach()


def _rows(snapshot: Snapshot) -> Iterator[list[str | None]]:
    starts, ends = (_stamps(snapshot.origin, times) for times in (snapshot.start_s, snapshot.end_s))
    resources = (*snapshot.resources, "")
    columns = snapshot.attributes.values()
    numbers = (snapshot.case_of_row().tolist(), snapshot.activity.tolist(), snapshot.resource.tolist())
    for case, activity, resource, start, end in zip(*numbers, starts, ends, strict=True):
        yield [
            *(snapshot.cases[case], snapshot.activities[activity], resources[resource], start, end),
            *(values[case] for values in columns),
        ]


def _stamps(origin: datetime, seconds: NDArray[np.float64]) -> list[str]:
    missing = np.isnan(seconds)
    offsets = np.round(np.where(missing, 0.0, seconds) * 1000).astype("timedelta64[ms]")
    instants = np.datetime64(origin.replace(tzinfo=None), "ms") + offsets
    texts = np.char.add(np.datetime_as_string(instants, unit="ms"), "Z")
    return list(np.where(missing, "", texts).tolist())
