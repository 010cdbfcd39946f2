"""A twin is built again from the snapshot that its first build kept, whatever became of the log since."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from pydantic import TypeAdapter

from calibration.overrides import (
    Drop,
    OverrideSpec,
    Rename,
    SetAgents,
    SetDuration,
    SetHours,
    SetPreemptible,
    SetRouting,
    SetRules,
)
from calibration.rules_override import RuleByHand
from calibration.settings import OrderSpec, Promise, Rule, Settings
from eventlogs.historian import Historian
from eventlogs.keeping.texts import twin_replaced
from examples.order_to_cash import START
from metagraph.distributions import Parametric
from metagraph.errors import DataError, UsageError
from metagraph.json_io import from_json, to_json
from metagraph.json_text import plain
from metagraph.model import BuildRecord, Metagraph
from metagraph.orders import ProfitShape
from tests.eventlogs.logs import Row, write
from tests.twin.small import known_log
from twin.build_record import overrides_of, plain_overrides, plain_values, recipe_of, settings_of
from twin.commands import build_command
from twin.progress import Progress
from twin.rebuild import rebuild, refit
from twin.requests import log_request
from twin.source import read_log
from twin.structures import Recipe

CONFIG = "[build]\nnoises = [0.0]\n"


def test_the_same_twin_comes_of_the_kept_snapshot(tmp_path: Path) -> None:
    base, config = str(tmp_path / "db"), tmp_path / "twin.toml"
    config.write_text(CONFIG, encoding="utf-8")
    first, again = tmp_path / "first" / "orders.json", tmp_path / "again" / "orders.json"
    for file in (first, again):
        file.parent.mkdir()
    file = known_log(tmp_path / "orders.csv", 5)
    built = build_command(log_request(str(file), base), first, config, 7, Progress())
    with Historian(base) as historian:
        historian.import_log(write(tmp_path / "other.csv", [Row("1", "A", "r", 0.0, 60.0)]), "orders")
        historian.drop_superseded("orders")
        kept = historian.kept_snapshots()[0]
    provenance = built.twin.provenance
    assert provenance is not None
    assert kept.content_hash == provenance.content_hash
    name = f"snapshot:{provenance.content_hash[:10]}"
    build_command(log_request(name, base), again, config, 7, Progress())
    assert again.read_bytes() == first.read_bytes()
    closed = read_log(log_request(name, base)).snapshot
    assert closed.is_open.any()
    with pytest.raises(UsageError, match=f"{name} is as it was kept; leave out --until"):
        read_log(log_request(name, base, until=datetime(2024, 5, 1, tzinfo=UTC)))
    with pytest.raises(
        DataError, match=r"no kept snapshot begins with 'ff00'; kept: [0-9a-f]{12} \(orders\)"
    ):
        read_log(log_request("snapshot:ff00", base))


OVERRIDDEN = """
[build]
noises = [0.0]
[orders]
class = "segment"
[overrides.activity."Credit Check"]
rename = "Check credit"
duration = { mean_min = 30 }
[overrides.activity."Reserve Inventory"]
preemptible = true
[[approvals]]
who = "Dora"
when = 2024-06-01T09:00:00Z
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Metagraph]:
    """A database with a twin for which much was set by hand, and that twin."""
    folder = tmp_path_factory.mktemp("kept")
    config = folder / "twin.toml"
    config.write_text(OVERRIDDEN, encoding="utf-8")
    log = log_request(str(known_log(folder / "orders.csv", 3)), str(folder / "db"), config=config)
    return str(folder / "db"), build_command(log, folder / "orders.json", config, 7, Progress()).twin


def test_a_kept_twin_is_rebuilt_byte_for_byte(kept: tuple[str, Metagraph]) -> None:
    base, twin = kept
    with Historian(base) as historian:
        again = rebuild(historian, "orders")
        assert to_json(again) == historian.load_model("orders@1")
    assert [o.field for o in twin.overrides] == ["duration", "preemptible", "name"]


def test_the_same_choices_are_fitted_to_what_was_known_before(kept: tuple[str, Metagraph]) -> None:
    base, twin = kept
    known = twin.provenance
    assert known is not None
    assert known.record is not None
    with Historian(base) as historian:
        until = known.until - timedelta(days=1)
        early = historian.snapshot("orders", until)
        before = refit(twin, early, seed=11)
        again = refit(before, historian.frozen(known.content_hash), seed=7)
    assert before.provenance is not None
    assert again.provenance is not None
    assert before.provenance.record is not None
    assert (before.provenance.until, before.provenance.seed) == (until, 11)
    assert before.provenance.content_hash == early.content_hash
    assert before.provenance.record.selected_on == known.content_hash
    assert (before.provenance.choices, before.approvals) == (known.choices, twin.approvals)
    assert [o.field for o in before.overrides] == [o.field for o in twin.overrides]
    # Nothing of the detour is left, but that import and open orders are told in other words.
    same = replace(again, provenance=replace(again.provenance, facts=known.facts))
    assert to_json(same) == to_json(twin)


def test_settings_and_overrides_are_read_back_as_they_were() -> None:
    specs: tuple[OverrideSpec, ...] = (
        SetAgents("A", ("Ann", "Bob")),
        SetDuration("A", law=Parametric("gamma", (2.0, 0.0, 60.0))),
        SetDuration("B", mean_s=90.0),
        SetPreemptible("A", True),
        SetHours("Ann", ((0.0, 3600.0), (86400.0, 90000.0))),
        SetRouting("x", (("A", 0.25),)),
        SetRules("x", (RuleByHand("value > 5", (("A", 1.0),)),)),
        Drop("C"),
        Rename("B", "Z"),
    )
    assert {type(spec) for spec in specs} == set(get_args(OverrideSpec))
    promise = Promise("gold", None, 100.0, 3, None, 1e6)
    orders = OrderSpec(
        class_rules=(Rule("gold", (("tier", "1"),)),), promises=(promise,), profit=ProfitShape()
    )
    wanted = Settings(window_share=0.3, apart=("Ann",), arrivals="fading", half_life_weeks=4.0, orders=orders)
    recipe = Recipe(0.2, free_order=True, miner="split", coverage=0.9)
    record = BuildRecord(
        *(plain_values(recipe), plain_values(wanted), plain_values(Settings()), (0.0,), "hash", START, 3),
        overrides=plain_overrides(specs),
    )
    record = TypeAdapter(BuildRecord).validate_json(json.dumps(plain(record)))
    assert recipe_of(record, "t") == recipe
    assert settings_of(record.settings, "t") == wanted
    assert settings_of(record.asked, "t") == Settings()
    assert overrides_of(record, "t") == specs


def test_a_person_who_is_deleted_is_called_otherwise_in_the_record_too(kept: tuple[str, Metagraph]) -> None:
    """Else the twin could not be built again from its snapshot, in which the person has the other name."""
    _, twin = kept
    assert twin.provenance is not None
    assert twin.provenance.record is not None
    specs = (SetAgents("Credit Check", ("Al", "Bo")), SetHours("Al", ((0.0, 3600.0),)))
    settings = plain_values(Settings(apart=("Al",)))
    record = replace(twin.provenance.record, overrides=plain_overrides(specs), settings=settings)
    known = replace(twin, provenance=replace(twin.provenance, record=record))
    forgotten = json.loads(twin_replaced(to_json(known), "Al", "deleted person 1"))
    told = forgotten["provenance"]["record"]
    assert told["settings"]["apart"] == ["deleted person 1"]
    assert [spec.get("agents", spec.get("agent")) for spec in told["overrides"]] == [
        ["deleted person 1", "Bo"],
        "deleted person 1",
    ]


def test_what_a_newer_tracetwin_chose_is_named() -> None:
    newer = {**plain_values(Settings()), "use_magic": True}
    with pytest.raises(DataError, match=r"t says how it was built in words .*use_magic"):
        settings_of(newer, "t")


def test_a_twin_without_a_record_says_so(kept: tuple[str, Metagraph]) -> None:
    base, twin = kept
    assert twin.provenance is not None
    old = replace(twin, provenance=replace(twin.provenance, record=None))
    assert from_json(to_json(old).replace(',\n  "record": null', ""), "old.json") == old
    with Historian(base) as historian:
        frozen = historian.frozen(twin.provenance.content_hash)
    with pytest.raises(DataError, match=r"orders doesn't say how it was built .* build it anew"):
        refit(old, frozen)
