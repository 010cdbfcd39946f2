"""What one process says arrives in the other as it was."""

import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.closing import ClosingRule
from eventlogs.owner import wire
from eventlogs.owner.sidecar import Owner
from eventlogs.snapshot import Snapshot, sealed
from metagraph.errors import DataError, UsageError
from tests.eventlogs.logs import Row, frozen, row_lists, write


def there(value: Any) -> Any:
    """The value after its way."""
    stream = io.BytesIO(b"".join(wire.message("result", value)))
    kind, content = wire.receive(stream.readline(), stream.read)
    assert kind == "result"
    assert not stream.read()
    return content


texts = st.text(max_size=20)
plain = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | texts
    | st.datetimes(timezones=st.none() | st.just(UTC)) | st.dates() | st.binary(max_size=50)
    | st.timedeltas(timedelta(days=-9999), timedelta(days=9999)).map(lambda t: timedelta(seconds=t.seconds))
)  # fmt: skip
keys = texts | st.integers() | st.tuples(texts, texts)
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.frozensets(keys, max_size=4)
    ),
)


def types_of(value: Any) -> Any:
    """The same tree with types for leaves: 1, 1.0 and True are equal, and must not be mistaken."""
    if isinstance(value, dict):
        return {key: types_of(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value), [types_of(item) for item in value]
    return type(value)


@given(values)
def test_every_value_arrives_as_it_was(value: Any) -> None:
    assert there(value) == value
    assert types_of(there(value)) == types_of(value)


@given(st.lists(st.none() | texts, min_size=1, max_size=5), st.sampled_from([tuple, list]))
def test_long_columns_of_texts_are_arrow(some: list[str | None], kind: Any) -> None:
    column = kind(some * 1001)
    line, *blobs = wire.message("result", column)
    assert len(blobs) == 1
    assert len(line) < 200
    assert there(column) == column
    assert there(frozenset({f"{i}" for i in range(2000)})) == frozenset({f"{i}" for i in range(2000)})


def same(one: Snapshot, other: Snapshot) -> bool:
    return (
        sealed(one).content_hash == sealed(other).content_hash == one.content_hash and one.name == other.name
    )


@settings(max_examples=15)
@given(row_lists)
def test_snapshots_arrive_whole(rows: list[Row]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        snapshot = frozen(write(Path(folder) / "log.csv", rows))
    arrived = there(snapshot)
    assert same(arrived, snapshot)
    arrived.is_open[:] = True
    assert arrived.start_s.dtype == snapshot.start_s.dtype


def test_tables_arrays_and_our_own_classes() -> None:
    table = pa.table({"a": [1, None], "b": ["x", "y"]})
    assert there(table).equals(table)
    for array in (np.arange(6, dtype="<i4").reshape(2, 3), np.array([]), np.array([[True], [False]])):
        arrived = there(array)
        assert (arrived.dtype, arrived.shape) == (array.dtype, array.shape)
        assert (arrived == array).all()
    assert np.isnan(there({"x": float("nan")})["x"])
    rule = ClosingRule({"A": 0.5}, 3.0, endings={("A", "B"): 0.25})
    assert there(rule) == rule
    assert there([np.int64(3), np.float64(0.5)]) == [3, 0.5]
    assert there(date(2024, 2, 29)) == date(2024, 2, 29)
    assert there(datetime(2024, 2, 29, tzinfo=UTC)).utcoffset() == timedelta(0)


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert there(Path("a/b.csv")) == tmp_path / "a" / "b.csv"


@pytest.mark.parametrize("error", [DataError("log.csv, line 3: no"), UsageError("--map: „x“")])
def test_errors_keep_class_and_sentence(error: DataError | UsageError) -> None:
    stream = io.BytesIO(b"".join(wire.error_message(error)))
    kind, (name, sentence) = wire.receive(stream.readline(), stream.read)
    assert (kind, wire.named(name), sentence) == ("error", type(error), str(error))


def test_an_error_of_an_upper_room_arrives_as_the_nearest_known_one() -> None:
    class LocalError(DataError):
        __module__ = "twin.somewhere"

    _, (name, _) = wire.receive(*_read(wire.error_message(LocalError("x"))))
    assert wire.named(name) is DataError


def _read(parts: tuple[bytes | memoryview, ...]) -> tuple[bytes, Any]:
    stream = io.BytesIO(b"".join(parts))
    return stream.readline(), stream.read


@pytest.mark.parametrize(
    "value", [object(), lambda: None, np.array([object()]), Row("1", "A", None, 0.0, None)]
)
def test_what_cannot_be_sent_is_refused_at_once(value: Any) -> None:
    if isinstance(value, Row):
        value = type("Foreign", (Exception,), {})()
    with pytest.raises(TypeError, match="can't be sent to another process"):
        wire.message("result", value)


@pytest.mark.parametrize(
    "content",
    [
        {"object": ["os:system", {}]},
        {"object": ["builtins:dict", {}]},
        {"object": ["eventlogs.historian:Historian", {"path": "x"}]},
        {"object": ["eventlogs.owner.sidecar:Owner", {"pid": 1, "other": 2}]},
        {"object": ["eventlogs.nowhere:X", {}]},
        {"array": [0, "|O", [1]]},
        {"unknown": 1},
        {"bytes": 7},
        {"callback": "x"},
        {"a": 1, "b": 2},
    ],
)
def test_nothing_foreign_is_made_from_a_message(content: Any) -> None:
    line = json.dumps({"kind": "result", "content": content, "blobs": [8]}).encode()
    with pytest.raises(ValueError, match=r".+"):
        wire.receive(line, lambda size: b"x" * size)
    assert there(Owner(1, "u", "t", "s", "v")) == Owner(1, "u", "t", "s", "v")


def test_a_message_cut_short_is_no_message() -> None:
    whole = b"".join(wire.message("result", np.arange(100)))
    for cut in (10, len(whole) - 1):
        stream = io.BytesIO(whole[:cut])
        with pytest.raises(ValueError, match=r".+"):
            wire.receive(stream.readline(), stream.read)
