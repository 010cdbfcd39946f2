"""Results as files: whole or absent, the same bytes for the same content."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from metagraph.errors import DataError
from twin.files import check_writable, write_frame, write_text, write_whole

FRAME = pd.DataFrame(
    {
        "case_id": ["ü", 'a "b", c'],
        "at": pd.Series([pd.Timestamp("2024-03-04T08:00:00.0015Z"), pd.NaT]).astype("datetime64[ns, UTC]"),
    }
)
TEXT = 'case_id,at\nü,2024-03-04T08:00:00.001Z\n"a ""b"", c",\n'


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_frame_is_text_in_utf8_with_instants_in_utc(tmp_path: Path) -> None:
    write_frame(tmp_path / "a.csv", FRAME)
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == TEXT
    assert names(tmp_path) == ["a.csv"]


def test_packed_frames_are_the_same_to_the_byte_whatever_their_name(tmp_path: Path) -> None:
    for name in ("a.csv.gz", "other.csv.gz"):
        write_frame(tmp_path / name, FRAME)
    packed = (tmp_path / "a.csv.gz").read_bytes()
    assert packed == (tmp_path / "other.csv.gz").read_bytes()
    assert packed[4:8] == bytes(4), "the archive holds the time it was made"
    assert gzip.decompress(packed).decode() == TEXT


def test_what_fails_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")

    def broken(beside: Path) -> None:
        beside.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a.txt", broken)
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("place", ["none/a.txt", "folder", "file/a.txt"])
def test_places_where_no_file_can_be(place: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    before = names(tmp_path)
    for write in (lambda path: write_text(path, "x"), check_writable):
        with pytest.raises(DataError, match=r"can't be written \(.+\); name a file in a folder that exists"):
            write(tmp_path / place)
    assert names(tmp_path) == before


def test_places_that_are_fine(tmp_path: Path) -> None:
    (tmp_path / "old").touch()
    check_writable(None, tmp_path / "new", tmp_path / "old", Path("here"))
