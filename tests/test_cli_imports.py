"""What only shows things loads no engine: compiled code costs a second or two to load."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
ENGINES = {"numba", "llvmlite", "simpy"}
TWIN = CHECKOUT / "examples" / "order_to_cash.twin.json"

LOADED = "import sys, json; print(json.dumps([*sys.modules]), file=sys.stderr)"
COMMANDS = {
    "show": ["show", str(TWIN), "--json"],
    "help": ["simulate", "--help"],
    "fault": ["simulate", str(TWIN), "--policy", "LIFO"],
    "logs": ["import", "look", str(CHECKOUT / "examples" / "order_to_cash.csv"), "--json"],
}


def loaded(code: str, folder: Path) -> set[str]:
    """Modules that are loaded when the code has run."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{LOADED}"], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_that_show(name: str, tmp_path: Path) -> None:
    code = f"import cli\ntry:\n    cli.app({COMMANDS[name]!r})\nexcept BaseException:\n    pass"
    found = loaded(code, tmp_path)
    assert "cli" in found
    assert not ENGINES & found


def test_pages_and_the_service(tmp_path: Path) -> None:
    names = [
        f"{room}.{path.stem}"
        for room in ("ui", "service", "twin")
        for path in sorted((CHECKOUT / room).glob("*.py"))
        if path.stem != "__init__"
    ]
    code = f"import importlib\nfor name in {names!r}:\n    importlib.import_module(name)"
    found = loaded(code, tmp_path)
    assert "ui.page_forecast" in found
    assert not ENGINES & found
