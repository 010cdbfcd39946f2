"""Edits of overrides change what they name, and survive the file."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from twin.config import load_config, write_overrides
from twin.config_sections import ActivityOverride, OverridesSection
from ui import overrides as edits


def full() -> OverridesSection:
    section = edits.with_activity(
        OverridesSection(),
        "Ship it",
        ActivityOverride(rename="Ship", agents=("Ann", "Bob"), duration=edits.duration("mean", 12.0)),
    )
    section = edits.with_activity(section, "Invoice", ActivityOverride(drop=True, preemptible=False))
    section = edits.with_agent(section, "Ann", "Mon-Fri 09:00-17:00")
    return edits.with_routing(section, "g1", {"f1": 0.25, "f2": 0.75})


def test_everything_set_is_listed_and_survives_the_file(tmp_path: Path) -> None:
    config = tmp_path / "twin.toml"
    write_overrides(config, full())
    assert load_config(config).overrides == full()
    assert [(line.kind, line.name, line.what) for line in edits.lines(full())] == [
        ("activity", "Ship it", "rename Ship; agents: Ann, Bob; mean_min 12.0"),
        ("activity", "Invoice", "drop; not preemptible"),
        ("agent", "Ann", "calendar Mon-Fri 09:00-17:00"),
        ("routing", "g1", "f1 0.25; f2 0.75"),
    ]


def test_lines_are_taken_out_one_by_one() -> None:
    section = full()
    for left in (3, 2, 1, 0):
        section = edits.without(section, edits.lines(section)[0])
        assert len(edits.lines(section)) == left
    assert section == OverridesSection()


def test_setting_nothing_takes_an_override_out() -> None:
    section = edits.with_activity(full(), "Ship it", ActivityOverride())
    section = edits.with_agent(section, "Ann", "  ")
    section = edits.with_routing(section, "g1", {})
    assert [line.name for line in edits.lines(section)] == ["Invoice"]


def test_renamed_activities_keep_their_name_in_the_log() -> None:
    assert edits.name_in_log(full(), "Ship") == "Ship it"
    assert edits.name_in_log(full(), "Pack") == "Pack"


def test_hours_that_are_no_hours_are_refused() -> None:
    with pytest.raises(ValidationError, match="expected hours"):
        edits.with_agent(OverridesSection(), "Ann", "nine to five")
