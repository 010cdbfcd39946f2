"""Every value of a Parquet file as text, exactly."""

import datetime as dt
import decimal
import gzip
import io
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from metagraph.errors import DataError
from tests.eventlogs.readers.staging import stage

NOON = dt.datetime(2024, 3, 4, 12, 0, 0, 500_000, tzinfo=dt.UTC)
NOON_NS = 1_709_553_600_500_000_123

VALUES: dict[str, tuple[pa.Array, str]] = {
    "whole": (pa.array([7]), "7"),
    "unsigned": (pa.array([2**64 - 1], pa.uint64()), "18446744073709551615"),
    "float": (pa.array([0.1]), "0.1"),
    "decimal": (pa.array([decimal.Decimal("1.50")]), "1.50"),
    "boolean": (pa.array([True]), "true"),
    "text": (pa.array(["007"]), "007"),
    "blanks": (pa.array([" NA "]), " NA "),
    "dictionary": (pa.array(["null"]).dictionary_encode(), "null"),
    "date": (pa.array([dt.date(2024, 3, 4)]), "2024-03-04"),
    "instant": (pa.array([NOON], pa.timestamp("us", "Europe/Paris")), "2024-03-04T12:00:00.5Z"),
    "instant in ns": (pa.array([NOON_NS], pa.timestamp("ns", "UTC")), "2024-03-04T12:00:00.500000123Z"),
    "local time": (pa.array([NOON], pa.timestamp("ms")), "2024-03-04 12:00:00.5"),
    "local time in ns": (pa.array([NOON_NS], pa.timestamp("ns")), "2024-03-04 12:00:00.500000123"),
    "list": (pa.array([[1, None, 2]]), "[1,null,2]"),
    "structure": (pa.array([{"x": 1, "é": "ö"}]), '{"x":1,"é":"ö"}'),
    "map": (pa.array([[("k", "v")]], pa.map_(pa.string(), pa.string())), '{"k":"v"}'),
    "bytes of text": (pa.array(["é".encode()]), "é"),
    "other bytes": (pa.array([b"\xff\x00"]), "\\xFF\\x00"),
}


def table(path: Path, columns: dict[str, pa.Array]) -> Path:
    parquet.write_table(pa.table(columns), path)
    return path


def test_values_as_text(tmp_path: Path) -> None:
    file = table(tmp_path / "log.parquet", {name: array for name, (array, _) in VALUES.items()})
    staged, rows, _ = stage(file)
    assert staged.columns == tuple(VALUES)
    assert dict(zip(VALUES, rows[1], strict=True)) == {name: text for name, (_, text) in VALUES.items()}


def test_what_is_missing_stays_missing(tmp_path: Path) -> None:
    columns = {
        name: pa.concat_arrays([array, pa.nulls(1, array.type)]) for name, (array, _) in VALUES.items()
    }
    columns |= {"nothing": pa.nulls(2), "empty": pa.array(["", ""])}
    _, rows, _ = stage(table(tmp_path / "log.parquet", columns))
    assert set(rows[2]) == {None}
    assert rows[1][-2:] == (None, None)


def test_names_are_kept_as_they_are(tmp_path: Path) -> None:
    one = pa.array(["1"])
    odd = dict.fromkeys(("Case", "case", "row", "a.b", 'say "x"', ""), one)
    # Neither the file's own name nor its folder's may be taken for a pattern or a partition.
    folder = tmp_path / "year=2024"
    folder.mkdir()
    staged, rows, _ = stage(table(folder / "log[1]*?.parquet", odd))
    assert staged.columns == tuple(odd)
    assert rows == {1: ("1",) * len(odd)}


def test_rows_keep_their_order_over_row_groups(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"a": range(300_000)}), tmp_path / "log.parquet", row_group_size=10_000)
    _, rows, _ = stage(tmp_path / "log.parquet")
    assert all(value == (str(row - 1),) for row, value in rows.items())
    assert len(rows) == 300_000


def test_packed(tmp_path: Path) -> None:
    plain = table(tmp_path / "plain", {"a": pa.array(["x"])})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("log.parquet", plain.read_bytes())
    for content in (gzip.compress(plain.read_bytes()), out.getvalue()):
        (tmp_path / "packed").write_bytes(content)
        staged, rows, _ = stage(tmp_path / "packed")
        assert rows == {1: ("x",)}
        assert staged.content_hash == stage(plain)[0].content_hash


def test_faults(tmp_path: Path) -> None:
    whole = table(tmp_path / "log.parquet", {"a": pa.array(["x"] * 1000)}).read_bytes()
    for content in (whole[:-1], whole[:40], b"PAR1\x15", b"case,activity\n"):
        (tmp_path / "log.parquet").write_bytes(content)
        with pytest.raises(DataError, match=r"log.parquet can't be read as Parquet \(.*\); export it again$"):
            stage(tmp_path / "log.parquet")
    with pytest.raises(DataError, match="the file has no rows"):
        stage(table(tmp_path / "log.parquet", {"a": pa.array([], pa.string())}))
    twice = pa.Table.from_arrays([pa.array(["x"])] * 2, names=["a", "a"])
    parquet.write_table(twice, tmp_path / "log.parquet")
    with pytest.raises(DataError, match="has two columns named 'a'"):
        stage(tmp_path / "log.parquet")
    with pytest.raises(DataError, match="has 2,001 columns and at most 2,000 are read"):
        stage(table(tmp_path / "log.parquet", {f"c{i}": pa.array(["x"]) for i in range(2001)}))
