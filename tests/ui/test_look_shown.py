"""What a look prints for people."""

import json
from pathlib import Path

import pytest

from eventlogs.taking.looking import LookOptions, look
from tests.eventlogs.logs import lines
from ui.import_tables import show_import, show_look

ONE_STEP = [{"objectId": "o1", "qualifier": ""}, {"objectId": "i1", "qualifier": ""}]


def printed(capsys: pytest.CaptureFixture[str], file: Path, options: LookOptions | None = None) -> str:
    show_look(look(file, options or LookOptions()), json_wanted=False)
    return capsys.readouterr().out


def object_centric(file: Path) -> Path:
    event = {"id": "e", "type": "Ship", "time": "2024-03-04T08:00:00Z", "relationships": ONE_STEP}
    content = {
        "objectTypes": [{"name": kind, "attributes": []} for kind in ("Order", "Item")],
        "eventTypes": [{"name": "Ship", "attributes": []}],
        "objects": [{"id": "o1", "type": "Order"}, {"id": "i1", "type": "Item"}],
        "events": [event],
    }
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def test_an_object_centric_log_is_asked_for_its_cases(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = printed(capsys, object_centric(tmp_path / "two.json"))
    assert "Objects, one type of which is the cases\n" in said
    assert said.rstrip().endswith("two.json --object-type TYPE")
    chosen = printed(capsys, tmp_path / "two.json", LookOptions(object_type="Order"))
    assert "\nevent case activity" in chosen


def test_examples_stand_on_one_line_with_their_zone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = lines(
        tmp_path / "log.csv", "case,activity,end", '1,"Pack\nand ship",2024-02-01T07:55:00.250000+01:00'
    )
    said = printed(capsys, file)
    assert said.count("Pack and ship") == 2
    assert "\n  1 row, encoding" in said
    assert "2024-02-01T07:55:00.250000+01:00" in said


def test_what_is_only_suggested_is_offered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = lines(
        tmp_path / "log.csv",
        "case,activity,end,region,price",
        "1,A,2024-02-01T07:55Z,N,2",
        "1,B,2024-02-02,N,2",
    )
    said = " ".join(printed(capsys, file).split())
    assert "for what is right of segment=region,value=price, add it to --map" in said
    assert "1 of the times in 'end' names no time of day, such as '2024-02-02': read as 00:00" in said
    confirmed = LookOptions({"segment": "region", "value": "price"})
    assert "add it to --map" not in " ".join(printed(capsys, file, confirmed).split())
    for said_so, offered in ((None, True), (confirmed, False)):
        report = look(file, said_so or LookOptions()).foreseen
        assert report is not None
        show_import(report, json_wanted=False)
        taken = " ".join(capsys.readouterr().out.split())
        assert ("right of segment=region,value=price, take the file again" in taken) == offered


@pytest.mark.parametrize(
    ("time", "bare"),
    [("2024-02-02", 1), ("02.02.2024", 1), ("2 Feb 2024", 1), ("2024-02-02 08:00", 0), ("2024-02-02T08", 0)],
)
def test_only_dates_without_a_time_are_told(time: str, bare: int, tmp_path: Path) -> None:
    file = lines(tmp_path / "log.csv", "case,activity,end", f"1,A,{time}", "1,B,2024-02-03 09:00")
    notes = [note for note in look(file).assumptions() if "no time of day" in note]
    assert len(notes) == bare
