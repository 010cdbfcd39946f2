"""What import-linter can't say: where the rooms are, what stands on top of them, what leaks into files."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS: list[str] = PROJECT["tool"]["setuptools"]["packages"]
ON_TOP = {"app", "cli"}
needs_top = pytest.mark.skipif(
    not all((CHECKOUT / f"{name}.py").is_file() for name in ON_TOP), reason="app.py and cli.py come last"
)
HEAVY = {
    "altair",
    "duckdb",
    "fitter",
    "highspy",
    "numpy",
    "pandas",
    "pm4py",
    "pyarrow",
    "pyomo",
    "scipy",
    "simpy",
    "streamlit",
}


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=True).stdout
    paths = (CHECKOUT / name for name in listing.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def imports(source: Path) -> Iterator[str]:
    """Top-level names that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"), filename=str(source))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def run_elsewhere(code: str, folder: Path) -> Any:
    """What `code`, run by the same interpreter in another folder, prints as JSON."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@needs_top
def test_every_room_resolves_inside_the_checkout_from_another_folder(tmp_path: Path) -> None:
    code = (
        f"import json; from importlib.util import find_spec; names = {[*ROOMS, *sorted(ON_TOP)]!r}; "
        "print(json.dumps({name: getattr(find_spec(name), 'origin', None) for name in names}))"
    )
    found: dict[str, str | None] = run_elsewhere(code, tmp_path)
    expected = {name: CHECKOUT / name / "__init__.py" for name in ROOMS}
    expected |= {name: CHECKOUT / f"{name}.py" for name in ON_TOP}
    assert {name: origin and Path(origin) for name, origin in found.items()} == expected


def test_every_package_is_a_room() -> None:
    packages = {path.parent.relative_to(CHECKOUT) for path in tracked() if path.name == "__init__.py"}
    tops = {package.parts[0] for package in packages} - {"tests"}
    assert tops == set(ROOMS) == set(PROJECT["tool"]["importlinter"]["root_packages"])


def test_init_files_are_empty() -> None:
    assert [path for path in tracked() if path.name == "__init__.py" and path.read_bytes()] == []


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_do_not_import_what_stands_on_top(room: str) -> None:
    allowed = {"app"} if room == "service" else set()
    guilty = {
        path.relative_to(CHECKOUT): sorted(found)
        for path in (CHECKOUT / room).rglob("*.py")
        if (found := (ON_TOP - allowed).intersection(imports(path)))
    }
    assert guilty == {}


@needs_top
@pytest.mark.parametrize(
    ("name", "kept_in_rooms"),
    [
        ("app", {"duckdb", "numba", "pm4py", "simpy"}),
        ("cli", {"duckdb", "numba", "pm4py", "simpy", "streamlit"}),
    ],
)
def test_what_stands_on_top_leaves_libraries_to_their_rooms(name: str, kept_in_rooms: set[str]) -> None:
    assert kept_in_rooms.isdisjoint(imports(CHECKOUT / f"{name}.py"))


@needs_top
def test_command_line_starts_without_heavy_libraries(tmp_path: Path) -> None:
    code = "import json, sys; import cli; print(json.dumps([*sys.modules]))"
    assert HEAVY.isdisjoint(run_elsewhere(code, tmp_path))


def test_files_name_no_registry_and_no_path_of_a_machine() -> None:
    hosts = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))]
    hosts += [".".join(parts) for parts in (("npmjs", "com"), ("debian", "org"), ("crates", "io"))]
    folders = rf"(?<![\w.])/({'|'.join(('work', 'root'))})/"
    leak = re.compile("|".join([*map(re.escape, hosts), folders]).encode())
    leaks = {
        str(path.relative_to(CHECKOUT)): found[0].decode()
        for path in tracked()
        if (found := leak.search(path.read_bytes()))
    }
    assert leaks == {}
