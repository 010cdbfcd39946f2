"""Quarantined rows go out as they were read and come in again as they were mended."""

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.historian import Historian
from metagraph.errors import DataError

HEADER = ["case_id", "activity", "start_time", "end_time", "note"]
GOOD = ["1", "A", "2024-03-04T08:00:00Z", "2024-03-04T09:00:00Z", "x"]
BAD = ["2", "A", "2024-03-04T10:00:00Z", "2024-03-04T09:00:00Z", "y"]
texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
) | st.sampled_from(["007", "NA", "=1+1", 'say "so", twice', "two\nlines", "a\r\nb", " x ", ""])


def log(path: Path, rows: list[list[str]], header: list[str] = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def table(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def adds_up(historian: Historian, name: str = "log") -> tuple[int, int, int, int]:
    report = historian.report(name)
    assert report.rows_read == report.rows_kept + report.rows_ignored + report.rows_quarantined
    assert report.rows_quarantined == len(historian.quarantined(name)) == sum(report.quarantined.values())
    return report.rows_read, report.rows_kept, report.rows_ignored, report.rows_quarantined


def taken(folder: Path, rows: list[list[str]], header: list[str] = HEADER) -> Historian:
    historian = Historian(":memory:")
    historian.import_log(log(folder / "log.csv", rows, header), on_bad_rows="quarantine")
    return historian


@settings(max_examples=8, deadline=None)
@given(notes=st.lists(texts, min_size=1, max_size=6), fixed=st.lists(st.booleans(), min_size=6, max_size=6))
def test_text_goes_out_and_comes_in_exactly(
    tmp_path_factory: pytest.TempPathFactory, notes: list[str], fixed: list[bool]
) -> None:
    """The oracle: the mended rows written into the file itself and taken anew."""
    folder = tmp_path_factory.mktemp("mend")
    rows = [GOOD, *([*BAD[:-1], note] for note in notes)]
    with taken(folder, rows) as historian:
        assert historian.export_quarantine("log", folder / "bad.csv") == len(notes)
        out = table(folder / "bad.csv")
        assert out[0] == ["row", "reason", *HEADER]
        assert [line[2:] for line in out[1:]] == rows[1:]
        for line, mend in zip(out[1:], fixed, strict=False):
            line[5] = "2024-03-04T11:00:00Z" if mend else line[5]
        by_hand = [GOOD, *(line[2:] for line in out[1:])]
        log(folder / "fixed.csv", out[1:], out[0])
        if not any(fixed[: len(notes)]):
            with pytest.raises(DataError, match="no row differs from what was set aside; mend some of them"):
                historian.mend("log", folder / "fixed.csv")
            return
        historian.mend("log", folder / "fixed.csv")
        counts, snapshot = adds_up(historian), historian.snapshot("log", open_cases=())
    with taken(folder, by_hand) as oracle:
        assert adds_up(oracle) == counts
        assert oracle.snapshot("log", open_cases=()).content_hash == snapshot.content_hash


def test_what_is_not_mended_stays_and_can_be_mended_later(tmp_path: Path) -> None:
    rows = [GOOD, BAD, ["", *GOOD[1:]], [*BAD[:2], "tomorrow", *BAD[3:]]]
    with taken(tmp_path, rows) as historian:
        assert adds_up(historian) == (4, 1, 0, 3)
        historian.export_quarantine("log", tmp_path / "bad.csv")
        out = table(tmp_path / "bad.csv")
        out[1][5] = "2024-03-04T12:00:00Z"
        report = historian.mend("log", log(tmp_path / "fix.csv", [out[1]], out[0]))
        assert not report.already_known
        assert adds_up(historian) == (4, 2, 0, 2)
        assert [row for row, _, _ in historian.quarantined("log")] == [3, 4]
        historian.export_quarantine("log", tmp_path / "bad.csv")
        out = table(tmp_path / "bad.csv")
        out[1][2], out[2][5] = "3", "2024-03-04T12:00:00Z"
        historian.mend("log", log(tmp_path / "fix.csv", out[1:], out[0]))
        assert adds_up(historian) == (4, 3, 0, 1)
        assert historian.snapshot("log").cases == ("1", "3", "2")
        assert [info.state for info in historian.imports("log")] == ["current", "superseded", "superseded"]
        historian.undo_import("log")
        historian.undo_import("log")
        assert adds_up(historian) == (4, 1, 0, 3)


def test_rows_mended_before_pass_unless_they_are_mended_otherwise(tmp_path: Path) -> None:
    noon = "2024-03-04T12:00:00Z"
    with taken(tmp_path, [GOOD, BAD, [*BAD[:2], "tomorrow", *BAD[3:]]]) as historian:
        historian.export_quarantine("log", tmp_path / "bad.csv")
        heads, first, second = table(tmp_path / "bad.csv")
        as_exported = list(first)
        first[5] = noon
        report = historian.mend("log", log(tmp_path / "fix.csv", [first, second], heads))
        assert not any("mended before" in note for note in report.notes)
        second[4], otherwise = first[5], [*first[:5], "2024-03-04T13:00:00Z", *first[6:]]
        second[5] = noon
        with pytest.raises(DataError, match="row 2 was mended before, and otherwise; leave it out"):
            historian.mend("log", log(tmp_path / "fix.csv", [otherwise, second], heads))
        with pytest.raises(DataError, match="row 2 stands twice"):
            historian.mend("log", log(tmp_path / "fix.csv", [first, first, second], heads))
        for old in (first, as_exported):
            report = historian.mend("log", log(tmp_path / "fix.csv", [old, second], heads))
            assert report.notes[0].startswith("1 row was mended before and not changed in ")
            assert adds_up(historian) == (3, 3, 0, 0)
            historian.undo_import("log")


def test_a_mended_import_is_told_apart_and_comes_back_when_it_was_undone(tmp_path: Path) -> None:
    with taken(tmp_path, [GOOD, BAD]) as historian:
        historian.export_quarantine("log", tmp_path / "bad.csv")
        heads, row = table(tmp_path / "bad.csv")
        row[5] = "2024-03-04T12:00:00Z"
        historian.mend("log", log(tmp_path / "fix.csv", [row], heads))
        mended, plain = historian.imports("log")
        assert (mended.mended, plain.mended) == (1, 0)
        assert mended.read_as() == f"{plain.read_as()}, 1 mended"
        assert "case=case_id" in plain.read_as()
        assert "UTC assumed, bad rows set aside" in plain.read_as()
        historian.undo_import("log")
        assert adds_up(historian) == (2, 1, 0, 1)
        back = historian.restore_import("log", mended.id)
        assert (back.mended, back.state) == (1, "current")
        assert adds_up(historian) == (2, 2, 0, 0)
        assert historian.restore_import("log", back.id) == back
        with pytest.raises(DataError, match=r"has no import 99; its imports are"):
            historian.restore_import("log", 99)


def test_broken_rows_are_mended_field_by_field(tmp_path: Path) -> None:
    file = log(tmp_path / "log.csv", [GOOD, BAD[:2], [*GOOD, "more"]])
    with Historian(":memory:") as historian:
        historian.import_log(file, on_bad_rows="quarantine")
        assert adds_up(historian) == (3, 1, 0, 2)
        historian.export_quarantine("log", tmp_path / "bad.csv")
        out = table(tmp_path / "bad.csv")
        for line in out[1:]:
            for name, text in zip(HEADER, ["9", *GOOD[1:]], strict=True):
                line[out[0].index(name)] = text
        historian.mend("log", log(tmp_path / "fix.csv", out[1:], out[0]))
        assert adds_up(historian) == (3, 3, 0, 0)
        assert historian.snapshot("log").cases == ("1", "9")


def test_columns_that_are_called_as_ours(tmp_path: Path) -> None:
    with taken(tmp_path, [[*GOOD, "r1"], [*BAD, "r2"]], [*HEADER[:-1], "reason", "row"]) as historian:
        historian.export_quarantine("log", tmp_path / "bad.csv")
        out = table(tmp_path / "bad.csv")
        assert out[0] == ["quarantined row", "quarantined reason", *HEADER[:-1], "reason", "row"]
        assert out[1][0] == "2"
        out[1][5] = "2024-03-04T12:00:00Z"
        historian.mend("log", log(tmp_path / "fix.csv", out[1:], out[0]))
        assert adds_up(historian) == (2, 2, 0, 0)


def test_fixes_that_do_not_fit(tmp_path: Path) -> None:
    with taken(tmp_path, [GOOD, BAD, ["", *GOOD[1:]]]) as historian:
        historian.export_quarantine("log", tmp_path / "bad.csv")
        head, *out = table(tmp_path / "bad.csv")
        out[0][5] = "2024-03-04T12:00:00Z"
        for rows, header, sentence in (
            (
                [["1", *out[0][1:]]],
                head,
                r"fix.csv, line 2: row '1' is not among the quarantined rows of log 'log'",
            ),
            (
                [out[0], ["x", *out[1][1:]]],
                head,
                r"fix.csv, line 3: row 'x' is not among the quarantined rows",
            ),
            ([out[0], out[0]], head, r"fix.csv, line 3: row 2 stands twice"),
            ([out[0][:-1]], head[:-1], r"fix.csv: column 'note' is missing; export the rows again"),
            ([out[0][1:]], head[1:], r"fix.csv: column 'row' is missing"),
        ):
            with pytest.raises(DataError, match=sentence):
                historian.mend("log", log(tmp_path / "fix.csv", rows, header))
            assert adds_up(historian) == (3, 1, 0, 2)
        fix = log(tmp_path / "fix.csv", out, head)
        moved = (tmp_path / "log.csv").rename(tmp_path / "moved.csv")
        with pytest.raises(
            DataError, match=r"log.csv, from which log 'log' was taken, is not there; say where"
        ):
            historian.mend("log", fix)
        with pytest.raises(
            DataError, match=r"fix.csv is not the file that log 'log' was taken from: its content"
        ):
            historian.mend("log", fix, fix)
        historian.mend("log", fix, moved)
        assert adds_up(historian) == (3, 2, 0, 1)
        with pytest.raises(DataError, match="there is no log 'other'"):
            historian.export_quarantine("other", tmp_path / "bad.csv")
        historian.import_log(log(tmp_path / "good.csv", [GOOD]))
        with pytest.raises(
            DataError, match="log 'good' has no quarantined rows, so there is nothing to export"
        ):
            historian.export_quarantine("good", tmp_path / "none.csv")
        with pytest.raises(
            DataError, match="log 'good' has no quarantined rows, so there is nothing to mend"
        ):
            historian.mend("good", fix)
        with pytest.raises(DataError, match=r"no folder.*can't be written"):
            historian.export_quarantine("log", tmp_path / "no folder" / "bad.csv")
        assert not (tmp_path / "none.csv").exists()
        assert json.loads(historian.quarantined("log")[0][2])["case_id"] in ("", None)
