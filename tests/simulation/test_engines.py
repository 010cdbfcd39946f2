"""Which engine is taken, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from metagraph.errors import UsageError
from simulation import engines, kernel
from simulation.engines import Engine, choose, run, session
from simulation.lowering import lower
from simulation.program import Program
from simulation.session import Options
from tests.simulation.builders import ORIGIN, expon, orders, station


def program() -> Program:
    return lower(station(expon(600.0)), orders([0.0, 60.0]), origin=ORIGIN)


def in_python() -> Program:
    plain = program()
    return replace(plain, network=replace(plain.network, custom=object()))


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """As in an installation in which the kernel was never compiled."""
    made: list[str] = []
    monkeypatch.setattr(kernel, "compiled", lambda: bool(made))
    monkeypatch.setattr(kernel, "compile_all", lambda: made.append("now"))
    return made


def test_the_kernel_runs_what_it_can() -> None:
    assert choose(program()) == Engine("kernel", "the compiled kernel runs all of it")
    assert choose(program(), "kernel").name == "kernel"
    assert choose(program(), "reference") == Engine("reference", "it was asked for")
    assert run(program(), 1).engine == "kernel"
    assert run(program(), 1, engine="reference").engine == "reference"


def test_what_it_refuses_goes_to_the_reference() -> None:
    assert choose(in_python()) == Engine(
        "reference", "the compiled kernel doesn't run a policy written in Python"
    )
    with pytest.raises(UsageError, match="a policy written in Python: choose engine auto or reference"):
        choose(in_python(), "kernel")
    found = run(program(), 1, options=Options(paths=True))
    assert (found.engine, found.paths is None) == ("reference", False)
    with pytest.raises(UsageError, match="every change of a queue's length"):
        run(program(), 1, options=Options(paths=True), engine="kernel")


def test_who_cannot_wait_gets_the_reference_until_it_is_compiled(compilations: list[str]) -> None:
    assert choose(program(), compile_now=False).name == "reference"
    assert "isn't compiled yet" in choose(program(), compile_now=False).why
    with pytest.raises(UsageError, match="isn't compiled yet"):
        session(program(), 1, engine="kernel", compile_now=False)
    assert run(program(), 1, compile_now=False).engine == "reference"
    assert compilations == []


def test_it_is_said_once_that_it_is_compiled(compilations: list[str]) -> None:
    said: list[str] = []
    for _ in range(3):
        assert choose(program(), tell=said.append).name == "kernel"
    assert said == [engines.COMPILING]
    assert compilations == ["now"]


def test_there_are_two_engines() -> None:
    with pytest.raises(UsageError, match="choose auto, reference or kernel"):
        choose(program(), "fast")  # type: ignore[arg-type]
