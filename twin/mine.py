"""Questions about a log: filters as text, the answer, and the answer as a file."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from eventlogs.mining.filters import LogFilter
from metagraph.errors import UsageError
from twin.files import check_writable, write_whole
from twin.progress import Progress
from twin.source import LogRequest, instant, opened

if TYPE_CHECKING:
    import pyarrow as pa

CSV, GZIP, PARQUET = ".csv", ".gz", ".parquet"


def mine_command(
    request: LogRequest,
    what: str,
    filters: Sequence[str],
    by: str,
    zone: str,
    out: Path | None,
    progress: Progress,
) -> pa.Table:
    """The answer to question `what` (see `eventlogs.mining.catalogue`), all of it written to `out` if given.

    Raises UsageError for a question, filter or ending of a file that is unknown.
    """
    wanted = parse_filter(filters)
    check_table_name(out)
    check_writable(out)
    with opened(request, progress.step, lambda text: progress.step(text, 0.0)) as (historian, name):
        progress.step(f"mining {what}", 0.5)
        table = historian.mine(name, what, (wanted,), by, zone)
    if out is not None:
        write_table(out, table)
    return table


def check_table_name(out: Path | None) -> None:
    """Raise UsageError if a table can't be written under this name."""
    if out is not None and not out.name.endswith((CSV, CSV + GZIP, PARQUET)):
        raise UsageError(f"--out {out}: expected a name that ends in .csv, .csv.gz or .parquet")


def parse_filter(options: Sequence[str]) -> LogFilter:
    """A filter of texts KEY=VALUE: keys are LogFilter's; one that takes several values is given repeatedly,
    and of attributes the key is followed by a point and the attribute's name.

    Raises UsageError naming what is unknown or no number or instant.
    """
    kinds = get_type_hints(LogFilter)
    known = ", ".join(f"{key}.NAME" if _is_mapping(kind) else key for key, kind in kinds.items())
    found: dict[str, Any] = {}
    for option in options:
        key, equals, value = option.partition("=")
        key, point, attribute = key.strip().partition(".")
        if not equals or key not in kinds or (bool(point) != _is_mapping(kinds[key])):
            raise UsageError(f"--filter {option}: expected KEY=VALUE with one of the keys {known}")
        if point:
            values = found.setdefault(key, {})
            values[attribute] = (*values.get(attribute, ()), value)
        elif kinds[key] == tuple[str, ...]:
            found[key] = (*found.get(key, ()), value)
        elif key in found:
            raise UsageError(f"--filter {option}: {key} is given twice; it takes one value")
        else:
            found[key] = _single(key, value, option)
    return LogFilter(**found)


def _is_mapping(kind: Any) -> bool:
    return "Mapping" in str(kind)


def _single(key: str, value: str, option: str) -> Any:
    if key in ("after", "before"):
        return instant(value, f"--filter {key}")
    if key == "window":
        return value
    try:
        return int(value) if key == "top_variants" else float(value)
    except ValueError as error:
        raise UsageError(f"--filter {option}: expected a number after {key}=") from error


def write_table(path: Path, table: pa.Table) -> None:
    """A table as Parquet, or as CSV (gzip by the name's end): instants in ISO 8601 UTC, lists as JSON.

    The same table gives the same bytes.
    """
    import pyarrow.parquet

    if path.name.endswith(PARQUET):
        write_whole(path, lambda beside: pyarrow.parquet.write_table(table, beside))
        return
    content = _as_csv(table)
    if path.name.endswith(GZIP):
        content = gzip.compress(content, mtime=0)
    write_whole(path, lambda beside: _fill(beside, content))


def _fill(beside: Path, content: bytes) -> None:
    beside.write_bytes(content)


def _as_csv(table: pa.Table) -> bytes:
    import pyarrow as pa
    import pyarrow.compute
    import pyarrow.csv

    for place, column in enumerate(table.schema):
        if pa.types.is_list(column.type):
            texts = [json.dumps(value, ensure_ascii=False) for value in table[column.name].to_pylist()]
            table = table.set_column(place, column.name, pa.array(texts, pa.string()))
        elif pa.types.is_timestamp(column.type):
            stamps = pyarrow.compute.strftime(table[column.name], "%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(place, column.name, stamps)
    sink = io.BytesIO()
    pyarrow.csv.write_csv(table, sink)
    return sink.getvalue()
