"""Which engine runs a program, and running it there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from metagraph.errors import UsageError
from simulation.program import Program
from simulation.run import Run
from simulation.session import Options, Session

Wanted = Literal["auto", "reference", "kernel"]
Tell = Callable[[str], None]
COMPILING = "compiling the simulation engine (once, about half a minute)"


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine, and in a sentence why this one."""

    name: Literal["reference", "kernel"]
    why: str


def choose(
    program: Program,
    wanted: Wanted = "auto",
    *,
    options: Options | None = None,
    compile_now: bool = True,
    tell: Tell | None = None,
) -> Engine:
    """The compiled kernel if it can run the program, else the reference, which runs all.

    The kernel is compiled once in an installation, which takes half a minute: `tell` is called with COMPILING
    before that. Whoever can't wait (a page, a service's request) says `compile_now=False` and gets the
    reference until then.

    Raises UsageError if the kernel was asked for and can't run it, or there is no such engine.
    """
    if wanted == "reference":
        return Engine("reference", "it was asked for")
    if wanted not in ("auto", "kernel"):
        raise UsageError(f"engine {wanted!r} is unknown: choose auto, reference or kernel")
    from simulation import kernel

    refused = kernel.refusal(program, options or Options())
    if refused:
        return _instead(wanted, f"the compiled kernel doesn't run {refused}")
    if not kernel.compiled():
        if not compile_now:
            return _instead(wanted, "the compiled kernel isn't compiled yet in this installation")
        if tell is not None:
            tell(COMPILING)
        kernel.compile_all()
    return Engine(
        "kernel", "it was asked for" if wanted == "kernel" else "the compiled kernel runs all of it"
    )


def run(
    program: Program,
    seed: int,
    replication: int = 0,
    until_s: float | None = None,
    *,
    options: Options | None = None,
    engine: Wanted = "auto",
    compile_now: bool = True,
    tell: Tell | None = None,
) -> Run:
    """One run on the engine that `choose` gives; `Run.engine` names it."""
    options = options or Options()
    chosen = choose(program, engine, options=options, compile_now=compile_now, tell=tell)
    return run_on(chosen, program, seed, replication, until_s, options)


def run_on(
    engine: Engine, program: Program, seed: int, replication: int, until_s: float | None, options: Options
) -> Run:
    """One run on an engine that was chosen for it."""
    if engine.name == "kernel":
        from simulation import kernel

        return kernel.run(program, seed, replication, until_s, options)
    from simulation import reference

    return reference.run(program, seed, replication, until_s, options)


def session(
    program: Program,
    seed: int,
    replication: int = 0,
    *,
    options: Options | None = None,
    engine: Wanted = "auto",
    compile_now: bool = True,
    tell: Tell | None = None,
) -> Session:
    """A run that can be paused, at its beginning; see `run`."""
    options = options or Options()
    if choose(program, engine, options=options, compile_now=compile_now, tell=tell).name == "kernel":
        from simulation import kernel

        return kernel.session(program, seed, replication, options)
    from simulation import reference

    return reference.session(program, seed, replication, options)


def _instead(wanted: Wanted, why: str) -> Engine:
    """The reference; an error where the kernel was asked for."""
    if wanted == "kernel":
        raise UsageError(f"{why}: choose engine auto or reference")
    return Engine("reference", why)
