"""Eight processes at once on one database, with and without an owner: none fails, and nothing is lost."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from eventlogs.owner.opening import open_historian
from examples.order_to_cash import known_twin
from metagraph.json_io import save
from tests.service.serving import PATIENCE_S, note, serving, start
from tests.twin.small import known_log

AS_OF = "2026-08-05T10:00:00Z"
PAGES = """
import sys
from eventlogs.owner.opening import open_historian
seen = set()
for look in range(10):
    with open_historian(sys.argv[1], read_only=True) as historian:
        seen.update(info.name for info in historian.logs())
        assert historian.snapshot("orders").n_cases > 0
        historian.list_models()
print(sorted(seen))
"""
"""What two apps do with the database, page after page."""
pytestmark = pytest.mark.timeout(4 * PATIENCE_S)


@pytest.mark.parametrize("owned", [True, False], ids=["with an owner", "without"])
def test_eight_processes_at_once(tmp_path: Path, owned: bool) -> None:
    db = tmp_path / "tracetwin.duckdb"
    known_log(tmp_path / "orders.csv", 4)
    known_log(tmp_path / "later.csv", 5, 2)
    save(replace(known_twin(), name="known"), tmp_path / "known.json")
    with open_historian(db) as historian:
        historian.import_log(tmp_path / "orders.csv")
    with ExitStack() as around:
        owner = around.enter_context(serving(db)) if owned else None
        at = ("--db", db)
        asked = ("known.json", "--log", "orders", "--as-of", AS_OF, "--replications", "2", "--plain")
        commands = {
            "import": ("import", "take", "later.csv", *at),
            "app 1": ("-c", PAGES, db),
            "app 2": ("-c", PAGES, db),
            **{f"forecast {i}": ("forecast", *asked, "--workers", "1", "--json", *at) for i in range(4)},
            "job": ("build", "orders.csv", "--twin", "orders.json", *at),
        }
        processes = {name: start(*command, cwd=tmp_path) for name, command in commands.items()}
        said = {name: process.communicate(timeout=3 * PATIENCE_S) for name, process in processes.items()}
        assert {name: (p.returncode, said[name][1]) for name, p in processes.items() if p.returncode} == {}
        assert owner is None or owner.end() == (0, "")
    assert not note(db).exists()
    found = [json.loads(said[f"forecast {i}"][0])["orders"] for i in range(4)]
    assert found[0]
    assert all(orders == found[0] for orders in found)
    assert all("orders" in said[app][0] for app in ("app 1", "app 2"))
    with open_historian(db, read_only=True) as historian:
        assert [info.name for info in historian.logs()] == ["later", "orders"]
        assert [(model.name, model.version) for model in historian.list_models()] == [("orders", 1)]
