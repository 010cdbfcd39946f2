"""The XES reader against ElementTree, its fast way against its slow one."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.readers import xes_reader
from eventlogs.readers.xes_regular import Regular
from metagraph.errors import DataError
from tests.eventlogs.readers.xes_naive import documents, naive, staged


@pytest.fixture(scope="module")
def con() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as con:
        yield con


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("xes") / "log.xes"


@given(text=documents(), size=st.sampled_from([1, 13, 200, 1 << 19]))
@settings(max_examples=70)
def test_the_reader_gives_what_element_tree_gives(
    text: str, size: int, con: DuckDBPyConnection, file: Path
) -> None:
    file.write_text(text, encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xes_reader, "_CHUNK", size)
        assert staged(con, file)[1] == naive(text)


@given(text=documents())
@settings(max_examples=50)
def test_the_fast_way_gives_what_the_parser_gives(text: str, con: DuckDBPyConnection, file: Path) -> None:
    file.write_text(text, encoding="utf-8", newline="")
    fast, rows = staged(con, file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Regular, "take", lambda *_: False)
        slow, expected = staged(con, file)
    assert rows == expected
    assert sorted(fast.columns) == sorted(slow.columns)
    assert set(fast.notes) == set(slow.notes)


@given(texts=st.lists(documents(), min_size=30, max_size=30))
@settings(max_examples=1)
def test_the_fast_way_is_taken_often(texts: list[str], con: DuckDBPyConnection, file: Path) -> None:
    taken: list[bool] = []
    take = Regular.take

    def counted(regular: Regular, segment: str) -> bool:
        taken.append(take(regular, segment))
        return taken[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Regular, "take", counted)
        for text in texts:
            file.write_text(text, encoding="utf-8", newline="")
            staged(con, file)
    assert sum(taken) >= 5


TAGS = re.compile(r"</?(?:xes:)?(?:trace|event)>|<[^<>]*/>|[<>\"]")


@given(
    text=documents(),
    at=st.integers(0, 1 << 20),
    instead=st.sampled_from(["", "<event>", "</trace>", '"', "<"]),
)
@settings(max_examples=50)
def test_the_fast_way_refuses_what_the_parser_refuses(
    text: str, at: int, instead: str, con: DuckDBPyConnection, file: Path
) -> None:
    places = list(TAGS.finditer(text))
    place = places[at % len(places)]
    file.write_text(text[: place.start()] + instead + text[place.end() :], encoding="utf-8", newline="")
    fast = outcome(con, file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Regular, "take", lambda *_: False)
        assert fast == outcome(con, file)


def outcome(con: DuckDBPyConnection, file: Path) -> str | tuple[list[dict[str, str]], set[str]]:
    try:
        found, rows = staged(con, file)
        return rows, set(found.notes)
    except DataError as error:
        return str(error)


PLAIN = (
    '<log>\n<trace>\n<string key="concept:name" value="1"/>\n<event>\n<string key="a" value="x"/>\n'
    '<string key="b" value="y"/>\n</event>\n</trace>\n</log>'
)
ODD = {
    "as it is": ("x", "x"),
    "a key twice": ('key="b"', 'key="a"'),
    "a key twice in a trace": ("<event>", '<string key="concept:name" value="2"/><event>'),
    "an empty key": ('key="a"', 'key=""'),
    "a line break in a value": ("x", "x\nx"),
    "a tab in a value": ("x", "x\tx"),
    "a return in a value": ("x", "x\rx"),
    "a tag in a value": ("x", "</event><event>"),
    "a control character": ("x", "\x0b"),
    "a character that is none": ("x", "\ufffe"),
    "a bare ampersand": ("x", "&"),
    "an unknown entity": ("x", "&lol;"),
    "a reference to nothing": ("x", "&#0;"),
    "a reference to half a character": ("x", "&#xD800;"),
    "a reference to a line break": ("x", "&#10;&#x1F600;"),
    "an attribute behind the events": ("</event>\n", '</event>\n<string key="c" value="late"/>\n'),
    "an event not closed": ("</event>", ""),
    "an event closed twice": ("</event>", "</event></event>"),
    "an event outside": ("<trace>", "<event/><trace>"),
    "a quotation mark between": ("<event>\n", '<event>"\n'),
    "a long attribute of a trace": ('value="1"', f'value="{"1" * 2000}"'),
}


@pytest.mark.parametrize("oddity", ODD)
def test_what_is_odd_gives_the_same_either_way(oddity: str, con: DuckDBPyConnection, file: Path) -> None:
    file.write_text(PLAIN.replace(*ODD[oddity], 1), encoding="utf-8", newline="")
    fast = outcome(con, file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Regular, "take", lambda *_: False)
        assert fast == outcome(con, file)
