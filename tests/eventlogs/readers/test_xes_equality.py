"""The XES reader against ElementTree, its fast way against its slow one."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.readers import xes_reader
from eventlogs.readers.xes_regular import Regular
from tests.eventlogs.readers.xes_naive import documents, naive, staged


@pytest.fixture(scope="module")
def con() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as con:
        yield con


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("xes") / "log.xes"


@given(text=documents(), size=st.sampled_from([1, 13, 200, 1 << 19]))
@settings(max_examples=120)
def test_the_reader_gives_what_element_tree_gives(
    text: str, size: int, con: DuckDBPyConnection, file: Path
) -> None:
    file.write_text(text, encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xes_reader, "_CHUNK", size)
        assert staged(con, file)[1] == naive(text)


@given(text=documents())
@settings(max_examples=100)
def test_the_fast_way_gives_what_the_parser_gives(text: str, con: DuckDBPyConnection, file: Path) -> None:
    file.write_text(text, encoding="utf-8", newline="")
    fast, rows = staged(con, file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Regular, "take", lambda *_: False)
        slow, expected = staged(con, file)
    assert rows == expected
    assert sorted(fast.columns) == sorted(slow.columns)
    assert set(fast.notes) == set(slow.notes)
