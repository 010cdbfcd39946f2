"""Every public method of the historian, here and through an owner: callers can't tell the difference."""

import dataclasses
import inspect
import re
import shutil
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pyarrow as pa
import pytest

from eventlogs.historian import Historian
from eventlogs.keeping.backtests import Tried
from eventlogs.keeping.recalibrations import Learnt, Look
from eventlogs.keeping.versions import Versions
from eventlogs.keeping.work import Work
from eventlogs.owner import wire
from eventlogs.owner.client import METHODS, RemoteHistorian
from eventlogs.owner.opened import OpenFile
from eventlogs.owner.opening import open_historian
from metagraph.errors import DataError, TwinError
from tests.eventlogs.logs import T0, Row, write
from tests.service.serving import PATIENCE_S, serving

ROWS = [
    Row(
        f"{i}",
        activity,
        f"r{i % 3}",
        3600.0 * i + start,
        None if i == 19 and activity == "B" else 3600.0 * i + end,
    )
    for i in range(20)
    for activity, start, end in (("A", 0.0, 60.0), ("B", 90.0, 120.0))
]
HERE = Path("log.csv")
pytestmark = pytest.mark.timeout(2 * PATIENCE_S)
LEAVES = {str, int, float, bool, type(None), datetime, Path, bytes, np.ndarray, pa.Table, str | PathLike[str]}
CONTAINERS = {tuple, list, dict, set, frozenset, Mapping, Sequence, Collection, PathLike}


def cannot_be_sent(hint: Any) -> list[Any]:
    """The parts of an annotation that have no form on the wire."""
    origin = get_origin(hint)
    if origin in {Literal, Callable} or hint in LEAVES or origin is np.ndarray or hint is Ellipsis:
        return []
    if origin in {Union, types.UnionType} or origin in CONTAINERS:
        return [bad for part in get_args(hint) for bad in cannot_be_sent(part)]
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and hint.__module__.startswith("eventlogs."):
        hints = get_type_hints(hint, localns={"pa": pa})
        return [bad for field in dataclasses.fields(hint) for bad in cannot_be_sent(hints[field.name])]
    return [hint]


@pytest.mark.parametrize("name", METHODS)
def test_what_methods_take_and_give_can_be_sent(name: str) -> None:
    hints = get_type_hints(METHODS[name])
    assert {*inspect.signature(METHODS[name]).parameters} - {"self"} == hints.keys() - {"return"}
    assert {part: bad for part, hint in hints.items() if (bad := cannot_be_sent(hint))} == {}


def test_every_public_method_is_offered_but_those_about_the_open_file() -> None:
    rooms = (Historian, Versions, Work)
    offered = {name for room in rooms for name in vars(room) if not name.startswith("_")}
    assert offered == METHODS.keys()
    assert {name for name in vars(OpenFile) if not name.startswith("_")} == {"close", "session", "interrupt"}
    assert all(vars(RemoteHistorian)[name] is not method for name, method in METHODS.items())


def sample(historian: Historian, name: str, hint: Any) -> Any:
    """A value for a parameter, by its name where that says more than its annotation."""
    known: dict[str, Any] = {
        "name": "log", "log": "log", "path": HERE, "until": T0.replace(hour=20), "at": T0.replace(hour=20),
        "json_text": "{}", "version": 1, "older_than_days": 0.1, "what": "follows", "zone": "UTC",
        "tz": "UTC", "time_format": None, "decimal": None, "by": "", "told": "{}",
        "look": Look("log", 1, "", ""), "tried": Tried("policies", "log", 1, "", "log", "", "{}"),
    }  # fmt: skip
    if name in known:
        return known[name]
    if name == "snapshot":
        return historian.snapshot("log")
    if name == "report":
        return historian.report("log")
    if name == "learnt":
        return Learnt(historian.snapshot("log"), historian.report("log"), "")
    if name == "reference":
        return historian.kept_snapshots()[0].content_hash if historian.kept_snapshots() else "log"
    options: dict[Any, Any] = {
        str: "log", int: 1, float: 1.0, bool: True, datetime: datetime(2024, 3, 5, tzinfo=UTC), Path: HERE,
    }  # fmt: skip
    return options.get(hint, () if get_origin(hint) in CONTAINERS else None)


def outcome(historian: Historian, name: str) -> Any:
    """What a method does with samples, comparable: without today's times and folders."""
    hints = get_type_hints(METHODS[name])
    needed = [p.name for p in inspect.signature(METHODS[name]).parameters.values() if p.default is p.empty]
    arguments = {part: sample(historian, part, hints[part]) for part in needed[1:]}
    try:
        parts = wire.message(name, getattr(historian, name)(**arguments))
    except TwinError as error:
        parts = wire.error_message(error)
    text = re.sub(rb"2026-\d\d-\d\dT[\d:.]*", b"NOW", bytes(parts[0]).replace(b"/there/", b"/here/"))
    return text, [bytes(part) for part in parts[1:]]


CHANGES = (
    *("keep_snapshot", "save_model", "promote_model", "set_model_state", "rollback_model", "mend", "retain"),
    *("drop_superseded", "undo_import"),
)
"""In this order after the questions; what is not named counts as a question."""


def test_a_remote_historian_does_what_a_local_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(HERE, ROWS)
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
    with Historian(tmp_path / "here" / "x.duckdb") as first:
        first.import_log(HERE)
        first.save_model("log", "{}")
        first.keep_snapshot(first.snapshot("log"), first.report("log"))
    shutil.copytree(tmp_path / "here", tmp_path / "there", dirs_exist_ok=True)
    order = [name for name in METHODS if name not in CHANGES] + [name for name in CHANGES if name in METHODS]
    with (
        serving(tmp_path / "there" / "x.duckdb"),
        open_historian(tmp_path / "there" / "x.duckdb") as remote,
        Historian(tmp_path / "here" / "x.duckdb") as local,
    ):
        assert isinstance(remote, RemoteHistorian)
        differing = {
            name: (mine, theirs)
            for name in order
            if (mine := outcome(local, name)) != (theirs := outcome(remote, name))
        }
    assert differing == {}


def test_arguments_and_callbacks_reach_the_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = write(HERE, ROWS).absolute()
    db = tmp_path / "elsewhere" / "x.duckdb"
    db.parent.mkdir()
    steps: list[tuple[str, float]] = []
    with serving(db), open_historian(db) as remote, Historian(":memory:") as local:
        options: dict[str, Any] = {"mapping": {"resource": ""}, "on_bad_rows": "quarantine"}
        mine = local.import_log(file, "orders", **options)
        assert remote.import_log(file, "orders", **options, progress=lambda *s: steps.append(s)) == mine
        said = []
        for historian in (local, remote):
            with pytest.raises(DataError, match=r"^log\.csv\b") as caught:
                historian.import_log("log.csv", mapping={"case": "no such column"})
            said.append(str(caught.value))
        assert said[0] == said[1]
        open_cases = frozenset({"3", "7"})
        until = T0.replace(hour=18)
        assert (
            remote.snapshot("orders", until, open_cases).content_hash
            == local.snapshot("orders", until, open_cases).content_hash
        )
        with pytest.raises(TypeError, match="unexpected keyword"):
            remote.snapshot("orders", until_when=until)  # type: ignore[call-arg]
    assert steps[0] == ("reading", 0.0)
    assert steps[-1] == ("done", 1.0)
