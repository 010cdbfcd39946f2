"""What is chosen on the pages is found again, and nothing else in the configuration is touched."""

from pathlib import Path

import pytest

from metagraph.errors import DataError, UsageError
from twin.config import load_config
from ui.workspace import HOME, ChosenLog, Workspace, workspace

LOG = ChosenLog(
    "/somewhere/orders, new.csv", "orders", {"case": "Order No.", "end": "done"}, "dmy", "Europe/Berlin", True
)


def test_home_is_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    assert workspace().home == tmp_path / "home"
    monkeypatch.delenv(HOME)
    monkeypatch.chdir(tmp_path)
    assert workspace().home == tmp_path


def test_a_choice_is_found_again_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    place.choose("orders", LOG)
    assert place.log("orders") == LOG
    assert place.names() == ("orders",)
    config = place.config("orders")
    config.write_text(config.read_text() + '\n# kept\n[overrides.activity."Ship"]\npreemptible = true\n')
    other = ChosenLog("/elsewhere.csv", "elsewhere", {}, None, "UTC", False)
    place.choose("orders", other)
    assert place.log("orders") == other
    assert load_config(config).overrides.activity["Ship"].preemptible is True
    assert "# kept" in config.read_text()


@pytest.mark.parametrize("name", ["", "../escape", "a/b", ".hidden", "line\nbreak"])
def test_names_that_are_no_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="can't name a twin"):
        Workspace(tmp_path).choose(name, LOG)
    assert [*tmp_path.rglob("*")] == []


def test_nothing_chosen_nothing_built(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    assert place.names() == ()
    with pytest.raises(DataError, match="Upload"):
        place.log("orders")


def test_uploads_keep_their_name_but_not_their_path(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    first = place.save_upload("../../etc/orders.csv", memoryview(b"a,b"))
    again = place.save_upload("C:\\logs\\orders.csv", memoryview(b"a,b"))
    assert first == again
    assert first.read_bytes() == b"a,b"
    assert first.is_relative_to(tmp_path / "uploads")
    assert place.save_upload("orders.csv", memoryview(b"else")) != first
