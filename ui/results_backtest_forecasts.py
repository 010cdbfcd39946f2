"""What the commands that go back into the past show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twin.backtest_forecast_result import OLD, TO_GO, ForecastBacktest
from twin.backtest_forecast_words import figure, verdicts
from twin.backtest_forecasts import CHOSEN, NOW, TWIN
from twin.words import number, percent
from ui.console import as_json, say, show_table

_BY = {"age": "age of the order", "lead": "time to go, as forecast", "task": "where it stood"}


def show_forecasts(found: ForecastBacktest, json_wanted: bool, written: Sequence[Path] = ()) -> None:
    """Scores of every forecaster, of groups, and of the orders in process."""
    if json_wanted:
        as_json(found)
        return
    _instants(found)
    _forecasters(found)
    for by, title in _BY.items():
        _groups(found, by, title)
    _wip(found)
    for sentence in (*verdicts(found), *found.notes):
        say(f"{sentence[0].upper()}{sentence[1:]}.")
    for path in written:
        say(f"Written: {path}")


def _instants(found: ForecastBacktest) -> None:
    rows = [
        (
            f"{one.at:%Y-%m-%d %H:%M}",
            *(str(n) for n in (one.orders, one.over, one.missed, one.still_open)),
            f"{one.cpu_s:.1f}",
            f"chosen: {one.why}" if one.built == CHOSEN else "",
        )
        for one in found.instants
    ]
    columns = ("instant, UTC", "open", "were over", "missed", "open still", "CPU s", "twin")
    show_table(f"{found.log}, by the twin {found.twin}", columns, rows, (0, 6))


def _forecasters(found: ForecastBacktest) -> None:
    every = [(f.name, f.scores) for f in found.forecasters]
    show_table(
        "Completion, in hours: mean [95 % interval]; of the median the error and how much it was late",
        ("forecaster", "CRPS", "error", "late by"),
        [(name, figure(s.crps_h), figure(s.mae_h), figure(s.bias_h)) for name, s in every],
    )
    show_table(
        "Intervals of completion: how often they held, and how wide they were, in hours",
        ("forecaster", "50 % held", "90 % held", "width 50 %", "width 90 %", "PIT off"),
        [
            (
                *(name, figure(s.cover50, True), figure(s.cover90, True)),
                *(number(s.width50_h.value), number(s.width90_h.value), number(s.pit_deviation)),
            )
            for name, s in every
        ],
    )


def _groups(found: ForecastBacktest, by: str, title: str) -> None:
    rows = [
        (
            *(
                g.name.removesuffix(OLD).removesuffix(TO_GO),
                str(g.scores.n),
                figure(g.scores.mae_h),
                number(g.scores.crps_h.value),
            ),
            *(figure(value, True) for value in (g.scores.cover50, g.scores.cover90)),
        )
        for g in found.groups
        if g.by == by and g.forecaster == TWIN
    ]
    if rows:
        columns = (title, "forecasts", "error, h", "CRPS, h", "50 % held", "90 % held")
        show_table(f"The twin, by {title}", columns, rows)


def _wip(found: ForecastBacktest) -> None:
    rows = [
        (
            f"{number(w.horizon_h)} h",
            "last value" if w.forecaster == NOW else w.forecaster,
            *(number(w.mean), figure(w.mae), figure(w.bias), percent(w.relative)),
            "" if w.forecaster == NOW else percent(w.cover90),
        )
        for w in found.wip
    ]
    columns = ("after", "forecaster", "orders", "error", "bias", "error of all", "90 % held")
    show_table("Orders in process", columns, rows, (0, 1))
