"""What `tracetwin backtest policies` and `backtest scenario` do: contenders in, a ranking on the past out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.errors import DataError, UsageError
from metagraph.model import Metagraph
from twin.as_of import seconds
from twin.backtest_policies import TwinAt, backtest, refitted_to, starts_of
from twin.backtest_results import BacktestOptions, PolicyBacktest
from twin.backtest_runs import BETTER, Contender
from twin.files import check_picture_name, check_writable, write_frame
from twin.kept_backtests import keep
from twin.planned_policy import MILP, Planning, rescheduling
from twin.planned_policy import served as serving
from twin.policies import OWN, Wanted, policy_of
from twin.progress import Progress
from twin.renames import closing_in_log_words
from twin.source import LogRequest, instant, read_log, read_twin
from twin.spans import seconds_of

if TYPE_CHECKING:
    import pandas as pd

    from eventlogs.keeping.backtests import Kind
    from eventlogs.snapshot import Snapshot
    from twin.edits import Edited, Phase
    from twin.scenario_sections import Scenario

_ASKED = ("periods", "replications", "seed", "margin", "objective")
TRIED = ("P", "D", "S", "F1", "PD", "PS", "PDS")
"""Policies that are tried where none are named."""


@dataclass(frozen=True, slots=True)
class TryRequest:
    """What to try on which past."""

    twin: str
    log: LogRequest
    own: str = OWN
    """What is in force: a policy as --policies names them."""
    policies: tuple[str, ...] = TRIED
    rules: tuple[str, ...] = ()
    """Expressions on orders."""
    since: str = ""
    period: str = "7d"
    options: BacktestOptions = field(default_factory=BacktestOptions)
    planning: Planning = field(default_factory=Planning)
    as_is: bool = False
    """Take the twin as it is in every period, instead of fitting it to what was known."""
    out: Path | None = None
    chart: Path | None = None
    folder: Path = field(default_factory=Path.cwd)
    """Where policies written in Python are looked for."""


def policies_command(wanted: TryRequest, progress: Progress) -> PolicyBacktest:
    """Try policies on the past, and write what was asked for.

    Raises UsageError and DataError for what can't be tried, read or written.
    """
    names = [*wanted.policies, *(f"rule:{rule}" for rule in wanted.rules)]
    names = [name for name in dict.fromkeys(names) if name.upper() != wanted.own.upper()]
    if not names:
        raise UsageError("--policies names nothing beside what is in force: name others, or give a --rule")

    def contenders(log: Snapshot) -> Sequence[Contender]:
        own = _contender(wanted.own, wanted, "--own")
        option = {f"rule:{rule}": "--rule" for rule in wanted.rules}
        return [own, *(_contender(name, wanted, option.get(name, "--policies")) for name in names)]

    return _tried(wanted, contenders, progress)


def scenario_command(wanted: TryRequest, scenario: Path, progress: Progress) -> PolicyBacktest:
    """Try an edited process on the past, beside the process as it was; the same orders, ways and work.

    Raises UsageError and DataError as `policies_command`, and for what is no scenario.
    """
    from twin.backtest_scenario import Changed, has_costs
    from twin.edits import edited
    from twin.scenario import load_scenario
    from twin.whatif_costs import priced

    said = load_scenario(scenario)
    text = scenario.read_text(encoding="utf-8")
    before = Wanted(policy=wanted.own)
    model, (rest,), words = priced(read_twin(wanted.twin, wanted.log.db), [said])
    money: list[float] = []

    def contenders(log: Snapshot) -> Sequence[Contender]:
        options = _options(wanted, log)
        begin = log.origin + timedelta(seconds=starts_of(log, options)[0])

        def edit(metagraph: Metagraph) -> Edited:
            return edited(metagraph, rest, begin, before)

        whole = edit(model)
        money.append(sum(one.money for one in whole.investments))
        costed = any(has_costs(graph) for graph in (model, *(one.metagraph for one in whole.phases)))
        costed = costed or bool(whole.overtime)

        def served(phase: Phase) -> object:
            return serving(phase.wanted(before), phase.planning(), wanted.folder)

        own = _contender(wanted.own, wanted, "--own")
        if own.how is not None:
            raise UsageError(f"--own {MILP}: a scenario is tried beside a policy that goes by rules")
        mine = Changed(edit, served, costed)
        return [
            replace(own, changed=Changed(costed=costed)),
            Contender(said.name, served(whole.phases[0]), changed=mine),
        ]

    found = _tried(wanted, contenders, progress, lambda known: priced(known, [said])[0], text)
    known = (f"taken for the process as it was, too: {text}" for text in words)
    return replace(found, notes=(*found.notes, *known, *_limits(rest, found, sum(money))))


def _limits(scenario: Scenario, found: PolicyBacktest, invested: float) -> Iterator[str]:
    """What a replay doesn't show of a scenario."""
    if scenario.arrivals:
        yield "orders come as they came: what the scenario says of arrivals changes nothing here"
    if scenario.routing:
        yield "at gateways that the scenario changes, ways are drawn by its weights and not as they were"
    if "cost" not in found.periods[0].figures[found.own]:
        yield "nothing is known to cost anything, so no cost is subtracted: a scenario's [[cost]] can say it"
    elif found.objective == "net":
        yield "cost is of the hours and executions in each period, profit of the orders that count in it"
    else:
        yield "cost is told beside the objective, not subtracted from it"
    if invested:
        yield f"{invested:,.0f} is invested once, which no period's cost has in it"


def _tried(
    wanted: TryRequest,
    contenders: Callable[[Snapshot], Sequence[Contender]],
    progress: Progress,
    known: Callable[[Metagraph], Metagraph] = lambda twin: twin,
    scenario: str = "",
) -> PolicyBacktest:
    """`known`: what is known of the twin of each period beside what it was fitted to; `scenario`: its text,
    if one is tried."""
    check_writable(wanted.out, wanted.chart)
    check_picture_name(wanted.chart)
    if wanted.out is not None and not wanted.out.name.endswith((".csv", ".csv.gz")):
        raise UsageError(f"--out {wanted.out}: expected a name that ends in .csv")
    model = read_twin(wanted.twin, wanted.log.db)
    request = replace(wanted.log, closing=closing_in_log_words(model))
    source = read_log(request, tell=progress.part(0.0, 0.05).tell)
    log = source.snapshot
    options = _options(wanted, log)
    fitted = _twin_at(model, wanted)
    share = progress.part(0.05, 0.98)
    found = backtest(log, contenders(log), lambda then: known(fitted(then)), options, share)
    found = replace(found, notes=(*found.notes, *_seen(model, log, options, wanted)))
    kind: Kind = "scenario" if scenario else "policies"
    keep(kind, wanted.log.db, wanted.twin, model, source, _told(wanted, scenario), found)
    if wanted.out:
        write_frame(wanted.out, frame(found))
    if wanted.chart:
        from twin.backtest_charts import backtest_chart
        from twin.drawing_tools import write_picture

        write_picture(wanted.chart, backtest_chart(found))
    return found


def _told(wanted: TryRequest, scenario: str) -> dict[str, object]:
    """The options of a backtest, as far as they decide what comes out."""
    asked: dict[str, object] = {
        "own": wanted.own,
        "since": wanted.since,
        "period": wanted.period,
        "as_is": wanted.as_is,
        **{name: getattr(wanted.options, name) for name in _ASKED},
    }
    if scenario:
        return asked | {"scenario": scenario}
    asked |= {"policies": wanted.policies, "rules": wanted.rules}
    return asked | ({"planning": asdict(wanted.planning)} if MILP in wanted.policies else {})


def _twin_at(model: Metagraph, wanted: TryRequest) -> TwinAt:
    if wanted.as_is:
        return lambda known: model
    if model.provenance is None or model.provenance.record is None:
        raise DataError(
            f"{model.name} doesn't say how it was built, so it can't be fitted to what was known in each "
            "period: build it anew from its log, or take it as it is with --as-is"
        )
    return refitted_to(model)


def _options(wanted: TryRequest, log: Snapshot) -> BacktestOptions:
    since_s = seconds(log, instant(wanted.since, "--since")) if wanted.since else None
    return replace(wanted.options, period_s=seconds_of(wanted.period, "--period"), since_s=since_s)


def _seen(model: Metagraph, log: Snapshot, options: BacktestOptions, wanted: TryRequest) -> tuple[str, ...]:
    """What the twin can't have known in the past."""
    known = model.provenance
    if known is None or seconds(log, known.until) <= starts_of(log, options)[0]:
        return ()
    until = f"{known.until:%Y-%m-%d}"
    if wanted.as_is:
        return (f"the twin was fitted to a log up to {until}, with it to what happened in the periods",)
    return (
        f"the twin's choices (its structure's recipe, what kinds of laws it has) were made on a log up to "
        f"{until}; its figures in each period are of what was known by then",
    )


def _contender(name: str, wanted: TryRequest, option: str) -> Contender:
    if name.lower() != MILP:
        return Contender(name, policy_of(Wanted(policy=name), wanted.folder, option))
    how = rescheduling(wanted.planning)
    return Contender(MILP, how.policy(), how)


def frame(found: PolicyBacktest) -> pd.DataFrame:
    """A row a period and contender."""
    import pandas as pd

    sign = BETTER[found.objective]
    return pd.DataFrame(
        [
            {
                "start": period.start,
                "end": period.end,
                "policy": name,
                **figures,
                "gain": sign * (figures[found.objective] - period.figures[found.own][found.objective]),
                "orders": period.orders,
                "advice": period.advice.call,
                "advised": period.advice.policy,
                "replay_error_h": period.error_h,
            }
            for period in found.periods
            for name, figures in period.figures.items()
        ]
    )
