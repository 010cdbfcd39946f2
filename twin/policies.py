"""Policies as people name them: the paper's, a rule, an expression on orders, or Python code of theirs."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from metagraph.errors import TwinError, UsageError
from metagraph.policies import PORTFOLIO, AssignmentRule, Policy
from metagraph.rules import AVERAGED
from metagraph.schedule import Schedule

OWN = "own"
OWN_RULES = Policy()
"""Each queue keeps the rule that the twin gives it."""
EXPRESSION = "rule:"
PLAIN = ("FIFO", "LIFO", *AVERAGED)
NAMES: Mapping[str, Policy] = {
    OWN: OWN_RULES,
    **PORTFOLIO,
    **{rule: Policy(rule, priorities=(rule,)) for rule in PLAIN if rule not in PORTFOLIO},
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options say about the policy; None leaves what the policy itself says."""

    policy: str = OWN
    """A name of NAMES, rule:EXPRESSION, or module:object."""
    schedule: Schedule | None = None
    assignment: AssignmentRule | None = None
    tie: Literal["keep", "back"] | None = None
    preemption: bool | None = None
    max_preemptions: int | None = None
    resume_penalty_s: float | None = None
    same_agent: bool | None = None


def policy_of(wanted: Wanted, folder: Path, option: str = "--policy") -> Policy | Any:
    """The policy, or the object written in Python, whose module is looked for in `folder` first; `option` is
    where it was asked for.

    Raises UsageError for what is unknown, can't be imported, or doesn't go together.
    """
    policy = _named(wanted.policy, folder, option)
    if wanted.schedule is not None:
        if wanted.policy != OWN:
            raise UsageError(
                f"--policy {wanted.policy} and --schedule both say what goes first; leave one of them out"
            )
        policy = Policy("schedule", priorities=("RANK",), schedule=wanted.schedule)
    options = ("assignment", "tie", "preemption", "max_preemptions", "resume_penalty_s", "same_agent")
    changed: dict[str, Any] = {name: getattr(wanted, name) for name in options}
    changed = {name: value for name, value in changed.items() if value is not None}
    if not changed:
        return policy
    if not isinstance(policy, Policy):
        raise UsageError(
            f"--policy {wanted.policy} is written in Python, and its `base` says how queues are joined and "
            "what interruptions do: leave the other options of policies out"
        )
    return replace(policy, **changed)


def _named(name: str, folder: Path, option: str) -> Policy | Any:
    known = {known.upper(): policy for known, policy in NAMES.items()}
    if name.upper() in known:
        return known[name.upper()]
    if name.startswith(EXPRESSION):
        expression = name.removeprefix(EXPRESSION).strip()
        if not expression:
            raise UsageError(f"{option} {name}: expected an expression on orders, e.g. rule:value")
        return Policy(name, priorities=("RULE",), rule=expression)
    if ":" in name:
        return _imported(name, folder, option)
    raise UsageError(
        f"{option} {name}: unknown; take one of {', '.join(NAMES)}, rule:EXPRESSION, or module:object for a "
        "policy written in Python"
    )


def _imported(name: str, folder: Path, option: str) -> Any:
    """The object behind module:object; a class is made an object of, without arguments."""
    module_name, _, object_name = name.partition(":")
    where = f"{option} {name}"
    if not module_name or not object_name:
        raise UsageError(f"{where}: expected module:object, both of them named")
    place = str(folder.resolve())
    if place not in sys.path:
        sys.path.insert(0, place)
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise UsageError(
                f"{where}: no module {error.name!r} in {place} or among those installed"
            ) from error
        raise UsageError(
            f"{where}: {module_name} needs the module {error.name!r}, which isn't there"
        ) from error
    except TwinError:
        raise
    except (Exception, SystemExit) as error:  # a script may end with sys.exit
        raise UsageError(f"{where}: {module_name} can't be imported: {_told(error, place)}") from error
    for part in object_name.split("."):
        if not hasattr(found, part):
            raise UsageError(f"{where}: {module_name} has no {object_name!r}; it has {_public(module_name)}")
        found = getattr(found, part)
    if isinstance(found, type):
        found = _object_of(found, f"{where}: {object_name}()", place)
    if not isinstance(found, Policy) and not callable(getattr(found, "priority", None)):
        raise UsageError(
            f"{where}: {object_name} is no policy: it has no method priority(item, now_s); see the docs"
        )
    return found


def _object_of(kind: type, what: str, folder: str) -> Any:
    """One made without arguments."""
    try:
        return kind()
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"{what} fails without arguments: {_told(error, folder)}; name an object instead of a class"
        ) from error


def _told(error: BaseException, folder: str) -> str:
    """What the user's code raised, and where in the files of `folder`."""
    from simulation.custom import told

    return told(error, lambda file: Path(file).is_relative_to(folder))


def _public(module: str) -> str:
    names = [name for name in vars(sys.modules[module]) if not name.startswith("_")]
    return ", ".join(names) or "nothing"
