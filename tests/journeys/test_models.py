"""Versions of a twin from the command line: promoted, rolled back, taken elsewhere and built again there."""

import json
import os
import zipfile
from pathlib import Path

import pytest

from tests.journeys.test_commands import fine, tracetwin
from tests.twin.small import known_log


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two versions of a twin, of a log and of its beginning."""
    folder = tmp_path_factory.mktemp("models")
    known_log(folder / "orders.csv", 2.5)
    (folder / "twin.toml").write_text("[build]\nnoises = [0.0]\n", encoding="utf-8")
    before = Path.cwd()
    os.chdir(folder)
    try:
        given = ("--twin", "orders.json", "--config", "twin.toml")
        fine("build", "orders.csv", *given, "--until", "2026-08-05T12:00:00Z")
        fine("build", "orders", *given)
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    return place


def states() -> list[tuple[int, str]]:
    return [(m["version"], m["state"]) for m in json.loads(fine("models", "list", "orders", "--json"))]


@pytest.mark.usefixtures("here")
def test_versions_are_promoted_and_rolled_back_with_their_reasons() -> None:
    assert states() == [(1, "champion"), (2, "built")]
    fine("models", "mark", "orders@2", "challenger")
    fine("models", "promote", "orders@2", "--who", "Ada", "--why", "it knows more")
    assert states() == [(1, "retired"), (2, "champion")]
    said = tracetwin("models", "mark", "orders@2", "rejected")
    assert (said.code, "orders@2 is the champion and can't be rejected" in said.err) == (3, True)
    fine("models", "rollback", "orders", "--why", "it forgets Mondays")
    assert states() == [(1, "champion"), (2, "rejected")]
    said = tracetwin("models", "rollback", "orders")
    assert (said.code, "there is none to go back to" in said.err) == (3, True)
    told = json.loads(fine("models", "show", "orders", "--json"))
    assert [(c["version"], c["action"], c["who"], c["why"]) for c in told["history"][3:5]] == [
        (1, "retired", "Ada", "orders@2 was promoted"),
        (2, "promoted", "Ada", "it knows more"),
    ]
    text = " ".join(fine("models", "show", "orders@2").split())
    assert "inductive miner, noise 0" in text
    assert "can be built again from snapshot:" in text
    assert "it forgets Mondays" in text


def test_an_exported_version_is_built_again_elsewhere(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = "there.zip"
    fine("models", "export", "orders@1", "--out", tmp_path / out)
    said = tracetwin("models", "export", "orders@1", "--out", tmp_path / out)
    assert (said.code, "is there already" in said.err) == (3, True)
    monkeypatch.chdir(tmp_path)
    assert "is the same, byte for byte" in " ".join(
        fine("models", "rebuild", out, "--twin", "again.json").split()
    )
    assert (tmp_path / "again.json").read_text("utf-8") == kept(here)
    with zipfile.ZipFile(out) as archive:
        archive.extractall(tmp_path / "there")
    provenance = json.loads((tmp_path / "there" / "provenance.json").read_text("utf-8"))
    assert (provenance["model"]["version"], provenance["snapshot"]["log"]) == (1, "orders")


def kept(folder: Path) -> str:
    """The text of the first version."""
    from eventlogs.historian import Historian

    with Historian(folder / "tracetwin.duckdb", read_only=True) as historian:
        return historian.load_model("orders@1")


@pytest.mark.usefixtures("here")
def test_a_version_that_comes_out_otherwise_says_what_differs(tmp_path: Path) -> None:
    assert json.loads(fine("models", "rebuild", "orders@2", "--json"))["equal"]
    fine("models", "export", "orders@1", "--out", tmp_path / "there")
    file = tmp_path / "there" / "twin.json"
    twin = json.loads(file.read_text("utf-8"))
    # As a Tracetwin wrote it that didn't know this field yet: the same all the same.
    assert twin["arrivals"].pop("level", None) is None
    file.write_text(json.dumps(twin), encoding="utf-8")
    fine("models", "rebuild", tmp_path / "there")
    twin["provenance"]["libraries"]["scipy"] = "0.1"
    file.write_text(json.dumps(twin), encoding="utf-8")
    said = tracetwin("models", "rebuild", tmp_path / "there")
    assert said.code == 3
    assert "isn't the same; different: provenance; other libraries: scipy 0.1 then" in said.err
    twin["provenance"]["content_hash"] = "0" * 64
    file.write_text(json.dumps(twin), encoding="utf-8")
    said = tracetwin("models", "rebuild", tmp_path / "there")
    assert (said.code, "the snapshot isn't what the twin was built from" in said.err) == (3, True)
    (tmp_path / "there" / "snapshot.parquet").unlink()
    said = tracetwin("models", "rebuild", tmp_path / "there")
    assert (said.code, "lacks snapshot.parquet" in said.err) == (3, True)
