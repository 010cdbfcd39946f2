"""A twin's file gives back what was written, and every fault of an edited one is named."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from metagraph.blocks import Choice, Leaf, Sequence
from metagraph.distributions import Constant, Fitted
from metagraph.errors import DataError
from metagraph.json_io import from_json, json_schema, load, save, to_json
from metagraph.model import SCHEMA_VERSION, Metagraph
from metagraph.nodes import DurationRow, DurationTable, Task
from metagraph.orders import OrderModel
from tests.metagraph.strategies import metagraphs, plain_metagraph

SCHEMA = Path(__file__).parents[2] / "docs" / "metagraph.schema.json"
FORMATS = SCHEMA.parent / "formats.md"
SMALL = plain_metagraph(Sequence((Leaf("t1", "A"), Choice("x", "x_end", (Leaf("t2", "B"), Leaf("t3", "C"))))))
PAIRS = [("value", "amount"), ("class", "customer")]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(metagraphs())
def test_from_json_gives_back_exactly_what_to_json_wrote(metagraph: Metagraph) -> None:
    text = to_json(metagraph)
    again = from_json(text, "twin.json")
    assert again == metagraph
    assert to_json(again) == text


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(metagraphs())
def test_brief_texts_leave_out_nothing_that_matters(metagraph: Metagraph) -> None:
    text = to_json(metagraph, brief=True)
    assert from_json(text, "twin.json") == metagraph
    assert len(text) < len(to_json(metagraph))


def test_equal_metagraphs_give_equal_texts_whatever_the_order_of_their_mappings() -> None:
    one, other = (replace(SMALL, orders=OrderModel(columns=dict(items))) for items in (PAIRS, PAIRS[::-1]))
    assert one == other
    assert to_json(one) == to_json(other)


def test_a_file_gives_back_what_was_saved_and_nothing_else_stays(tmp_path: Path) -> None:
    save(SMALL, tmp_path / "twin.json")
    assert load(tmp_path / "twin.json") == SMALL
    assert [path.name for path in tmp_path.iterdir()] == ["twin.json"]


def test_a_faulty_twin_is_not_written_over_a_good_one(tmp_path: Path) -> None:
    path = tmp_path / "twin.json"
    save(SMALL, path)
    with pytest.raises(DataError, match=r"agent ann, capacity: 0;"):
        save(replace(SMALL, agents=(replace(SMALL.agents[0], capacity=0),)), path)
    assert load(path) == SMALL


def test_the_published_schema_is_current() -> None:
    assert SCHEMA.read_text("utf-8") == json_schema(), (
        "run: python -m metagraph.json_io > docs/metagraph.schema.json"
    )


def test_a_newer_schema_is_told_before_anything_else() -> None:
    text = edited(schema_version=SCHEMA_VERSION + 1, unheard_of=3)
    with pytest.raises(
        DataError, match=r"^twin.json was written by a newer Tracetwin \(schema 2; this one reads 1\)"
    ):
        from_json(text, "twin.json")


def test_every_fault_of_form_is_listed_with_its_place_its_value_and_what_was_expected() -> None:
    raw = json.loads(to_json(SMALL))
    raw["colour"] = "red"
    del raw["flows"]
    raw["nodes"][1]["durations"]["rows"][0]["fitted"]["law"]["value"] = "an hour"
    raw["nodes"][2]["kind"] = "tusk"
    raw["agents"][0]["capacity"] = 1.5
    raw["agents"][0]["sharing"] = "some"
    with pytest.raises(DataError) as caught:
        from_json(json.dumps(raw), "twin.json")
    assert str(caught.value).splitlines() == [
        "twin.json can't be used; mend these 6 faults:",
        '  nodes, "t1", durations, rows, item 0, fitted, law, value: "an hour"; expected a number',
        "  nodes, \"t2\": kind tusk; expected 'start', 'end', 'task', 'and_split', 'and_merge', 'xor_split', "
        "'xor_merge', 'loop_start', 'loop_end', 'or_split', 'or_merge'",
        "  flows: missing; it is needed",
        '  agents, "ann", capacity: 1.5; expected a whole number',
        "  agents, \"ann\", sharing: \"some\"; expected 'parallel' or 'shared'",
        "  colour: no such field; remove it or mend its name",
    ]


def test_every_fault_of_sense_is_listed() -> None:
    raw = json.loads(to_json(SMALL))
    raw["queues"][0]["agents"] = ["bob"]
    raw["routing"][0]["rows"][0]["weights"] = [0.5, 0.6]
    with pytest.raises(
        DataError, match=r"mend these 2 faults:\n.*sum to 1\.1; they must sum to 1\n.*\"bob\" is no agent"
    ):
        from_json(json.dumps(raw), "twin.json")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no JSON: Expecting value at line 1, column 1"),
        ('{"name": ', "no JSON: Expecting value at line 1, column 10"),
        ('{"name": "a", "name": "b"}', 'field "name": given 2 times in one object'),
        ("[1, 2]", r"the whole file: \[1, 2\]; expected an object"),
        ("[" * 100000, "too deep"),
        ("9" * 5000, "too long"),
    ],
)
def test_what_is_no_twin_at_all_gets_one_sentence(text: str, told: str) -> None:
    with pytest.raises(DataError, match=f"^twin.json .*{told}"):
        from_json(text, "twin.json")


def test_numbers_that_json_has_none_for_are_refused() -> None:
    text = to_json(SMALL).replace("60.0", "NaN", 1)
    with pytest.raises(DataError, match=r"t1.*value: nan is no finite number"):
        from_json(text, "twin.json")
    work = DurationTable((DurationRow(Fitted(Constant(float("inf")), 1, "task")),))
    nodes = tuple(replace(n, durations=work) if isinstance(n, Task) else n for n in SMALL.nodes)
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json(replace(SMALL, nodes=nodes))


def test_files_that_are_not_there_or_not_ours_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.json doesn't exist"):
        load(tmp_path / "none.json")
    (tmp_path / "latin.json").write_bytes(b'{"name": "caf\xe9"}')
    with pytest.raises(DataError, match=r"latin\.json is no UTF-8 text"):
        load(tmp_path / "latin.json")
    with pytest.raises(DataError, match="can't be read"):
        load(tmp_path)
    with pytest.raises(DataError, match="can't be written"):
        save(SMALL, tmp_path / "no" / "twin.json")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match=r"folder can't be written"):
        save(SMALL, tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "latin.json"]


def edited(**changes: Any) -> str:
    return json.dumps({**json.loads(to_json(SMALL)), **changes})


def test_the_example_in_the_documentation_is_a_twin() -> None:
    """All but its arrivals, which are too long to print."""
    text = FORMATS.read_text("utf-8")
    raw = json.loads(text.split("```json\n")[1].split("```")[0])
    raw["arrivals"]["rates_per_h"] = [1.0] * 168
    twin = from_json(json.dumps(raw), "docs/formats.md")
    assert [task.label for task in twin.tasks()] == ["Check order"]


def test_the_documented_calendars_agents_and_orders_are_parts_of_that_twin() -> None:
    blocks = FORMATS.read_text("utf-8").split("```json\n")
    raw, parts = (json.loads(block.split("```")[0]) for block in blocks[1:3])
    raw["arrivals"]["rates_per_h"] = [1.0] * 168
    twin = from_json(json.dumps({**raw, **parts}), "docs/formats.md")
    assert {agent.id: len(agent.absences) for agent in twin.agents} == {"ann": 0, "bob": 2}
    assert [c.cls for c in twin.orders.classes] == ["small", "large"]
    value = twin.orders.classes[0].value
    assert value is not None
    assert (value.n, value.level) == (0, "human")


def test_the_documentation_tells_of_every_part() -> None:
    text = FORMATS.read_text("utf-8")
    assert [f.name for f in fields(Metagraph) if f"`{f.name}`" not in text] == []
