"""docs/forecasts.md: what was measured beside what was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import exp, log
from statistics import fmean
from typing import Any

README = {
    "LoanApp": (4.24, 1.30, 0.82, 0.21, 0.40),
    "P2P": (187.0, 299.0, 178.0, 0.07, 0.18),
    "ConsultaDataMining": (238.0, 199.0, 164.0, 0.29, 0.27),
    "BPIC12W": (122.2, 121.1, 116.0, 0.09, 0.07),
}
"""Of the protocol's README: CRPS of km, last and lgbm in hours; WIP error at the longer horizon of lgbm and
of the last value."""
BUDGET_CPU_S = 60.0
Row = Mapping[str, Any]

HEAD = """# How good are forecasts of open orders?

Made by `python -m benchmarks.forecasts` by the as-of protocol: 10 to 40 instants in the last 30 % of each
log; a twin knows the events until then and which orders were open, and forecasts when each will be done and
how many will be in process. At the first instant the twin is chosen; at later ones the same choices are
fitted to what was known, and made anew where drift is found. Baselines know the same: residual life by age
(km), by last event (last), LightGBM's quantiles on what was known of an order (lgbm, open orders with ends
drawn from its own forecast), and for orders in process the last value. CRPS in hours, lower is better;
ratios with paired 95 % intervals, orders resampled. The protocol's own figures of the baselines stand in
brackets; a goal is judged by the harder of the two.

"""


def page(rows: Sequence[Row]) -> str:
    """The whole page, of the last measurement of each log over all its cuts."""
    twins = _latest(rows, "log")
    cuts = {name: _cuts(rows, row) for name, row in twins.items()}
    base = {name: _baselines(rows, name) for name in twins}
    parts = [HEAD, "## Goals\n", *_goals(twins, base, cuts), "", "## Completion\n"]
    parts += [*_completion(twins, base), "", "## Calibration\n", *_calibration(twins), ""]
    parts += ["## Orders in process\n", *_wip(twins, base), "", "## What it costs\n", *_costs(twins, cuts)]
    return "\n".join(parts) + "\n"


def _latest(rows: Sequence[Row], unit: str) -> dict[str, Row]:
    whole: dict[str, int] = {}
    for row in rows:
        if row["unit"] == unit:
            whole[row["log"]] = max(whole.get(row["log"], 0), len(row["cuts"]))
    found = {r["log"]: r for r in rows if r["unit"] == unit and len(r["cuts"]) == whole[r["log"]]}
    ordered = [name for name in README if name in found]
    return {name: found[name] for name in (*ordered, *sorted(set(found) - set(ordered)))}


def _cuts(rows: Sequence[Row], of: Row) -> list[Row]:
    """The last row of each cut of that run; with twins of another run, what building those took."""
    cuts = [r for r in rows if r["unit"] == "cut" and r["log"] == of["log"]]
    built = {r["cut"]: {key: r[key] for key in ("built", "build_cpu_s")} for r in cuts if "built" in r}
    mine = {r["cut"]: {**built.get(r["cut"], {}), **r} for r in cuts if r["label"] == of["label"]}
    return [mine[number] for number in sorted(mine)]


def _baselines(rows: Sequence[Row], name: str) -> dict[str, Row]:
    return {row["label"]: row for row in rows if row["unit"] == "baseline" and row["log"] == name}


def crps(base: Mapping[str, Row], name: str, who: str) -> float | None:
    """The lower of what was measured and what the README says; None where neither is known."""
    measured = base[who]["scores"]["all"]["crps"] if who in base else None
    told = README[name][("km", "last", "lgbm").index(who)] if name in README else None
    known = [value for value in (measured, told) if value is not None]
    return min(known) if known else None


def _wip_error(base: Mapping[str, Row], name: str) -> float | None:
    """The least error of lgbm and of the last value, at the longer horizon."""
    known = [*README[name][3:]] if name in README else []
    if "lgbm" in base:
        row = base["lgbm"]
        known += [_longest(row["scores"]["system"])["mape"], _longest(row["last_value"])["mape"]]
    return min(known) if known else None


def _longest(system: Mapping[str, Any]) -> Mapping[str, Any]:
    wip = {float(key.split("@")[1][:-1]): value for key, value in system.items() if key.startswith("wip@")}
    found: Mapping[str, Any] = wip[max(wip)]
    return found


def _goals(
    twins: Mapping[str, Row], base: Mapping[str, Mapping[str, Row]], cuts: Mapping[str, Sequence[Row]]
) -> Iterator[str]:
    """Each goal with its figure; in brackets how many logs it was measured on."""
    whole = {name: row["scores"]["all"] for name, row in twins.items()}
    n = len(whole)
    over = {
        who: {name: s["crps"] / value for name, s in whole.items() if (value := crps(base[name], name, who))}
        for who in ("km", "lgbm")
    }
    lgbm = over["lgbm"]
    mean = exp(fmean(log(ratio) for ratio in lgbm.values())) if lgbm else float("nan")
    covered = sum(0.85 <= s["cov90"] <= 0.95 for s in whole.values())
    even = sum(s["pit_dev"] <= 0.15 for s in whole.values())
    kept = sum(0.86 <= s["hit90"] <= 0.94 for s in whole.values())
    wip = sum(
        _longest(row["scores"]["system"])["mape"] <= least
        for name, row in twins.items()
        if (least := _wip_error(base[name], name)) is not None
    )
    better = sum(
        found["ratio_hi"] < 1 for row in twins.values() if (found := row["compared"].get("lgbm")) is not None
    )
    worst = max(lgbm.values(), default=float("nan"))
    dear = [row["build_cpu_s"] for found in cuts.values() for row in found if row.get("built") == "refitted"]
    below = sum(r < 1 for r in over["km"].values())
    costs = f"{max(dear):.0f}" if dear else "not measured"
    yield from (
        "| | goal | figure | |",
        "| --- | --- | --- | --- |",
        _goal("must", "CRPS below km on all logs", f"{below} of {n}", below == n),
        _goal("must", "CRPS / lgbm, geometric mean ≤ 1.05", f"{mean:.3f}", mean <= 1.05),
        _goal("must", "CRPS / lgbm never above 1.25", f"at most {worst:.3f}", worst <= 1.25),
        _goal(
            "must", "90 % intervals hold 85–95 % on three of four", f"{covered} of {n}", covered >= 0.75 * n
        ),
        _goal("must", "PIT deviation ≤ .15 on three of four", f"{even} of {n}", even >= 0.75 * n),
        _goal(
            "must", "WIP no worse than lgbm and last value on two of four", f"{wip} of {n}", wip >= 0.5 * n
        ),
        _goal(
            "must", "a refitted twin ≤ 60 CPU s", f"at most {costs}", bool(dear) and max(dear) <= BUDGET_CPU_S
        ),
        _goal(
            "aim",
            "CRPS below lgbm by the paired interval on two of four",
            f"{better} of {n}",
            better >= 0.5 * n,
        ),
        _goal("aim", "CRPS / lgbm, geometric mean ≤ .95", f"{mean:.3f}", mean <= 0.95),
        _goal("aim", "promises at 90 % kept 86–94 % on three of four", f"{kept} of {n}", kept >= 0.75 * n),
    )


def _goal(kind: str, words: str, figure: str, met: bool) -> str:
    return f"| {kind} | {words} | {figure} | {'met' if met else 'missed'} |"


def _completion(twins: Mapping[str, Row], base: Mapping[str, Mapping[str, Row]]) -> Iterator[str]:
    head = "twin | km | last | lgbm | twin / km | twin / lgbm | error, h | late by, h"
    yield f"| log (forecasts; mean remaining h) | {head} |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for name, row in twins.items():
        s = row["scores"]["all"]
        told = [_beside(base[name], name, who) for who in ("km", "last", "lgbm")]
        ratios = [_ratio(row["compared"].get(who)) for who in ("km", "lgbm")]
        cells = [f"{name} ({s['n']}; {s['mean_true_h']:.3g})", f"**{s['crps']:.3g}**", *told, *ratios]
        yield f"| {' | '.join([*cells, format(s['mae'], '.3g'), format(s['bias'], '+.3g')])} |"


def _beside(base: Mapping[str, Row], name: str, who: str) -> str:
    measured = f"{base[who]['scores']['all']['crps']:.3g}" if who in base else ""
    told = f"({README[name][('km', 'last', 'lgbm').index(who)]:.3g})" if name in README else ""
    return f"{measured} {told}".strip()


def _ratio(found: Mapping[str, float] | None) -> str:
    if found is None:
        return "not measured"
    return f"{found['ratio']:.3f} [{found['ratio_lo']:.3f}, {found['ratio_hi']:.3f}]"


def _calibration(twins: Mapping[str, Row]) -> Iterator[str]:
    head = "50 % held | 90 % held | width of 90 %, h | PIT deviation | mean PIT | kept at 80 % | at 90 %"
    yield f"| log | {head} |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for name, row in twins.items():
        s = row["scores"]["all"]
        shares = " | ".join(f"{s[key]:.2f}" for key in ("cov50", "cov90"))
        more = " | ".join(f"{s[key]:.2f}" for key in ("pit_dev", "pit_mean", "hit80", "hit90"))
        yield f"| {name} | {shares} | {s['width90']:.3g} | {more} |"


def _wip(twins: Mapping[str, Row], base: Mapping[str, Mapping[str, Row]]) -> Iterator[str]:
    yield "| log | after, h | orders | twin, error of all | lgbm | last value | 90 % held |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for name, row in twins.items():
        for key, found in row["scores"].get("system", {}).items():
            if key.startswith("wip@"):
                lgbm = base[name].get("lgbm")
                other = f"{lgbm['scores']['system'][key]['mape']:.2f}" if lgbm else ""
                last = f"{lgbm['last_value'][key]['mape']:.2f}" if lgbm else ""
                hours, error = key.split("@")[1][:-1], f"{found['mape']:.2f}"
                ours = f"{found['mean_true']:.3g} | {error}"
                yield f"| {name} | {hours} | {ours} | {other} | {last} | {found['cov90']:.2f} |"


def _costs(twins: Mapping[str, Row], cuts: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    yield "CPU seconds, import of the log included; two cores.\n"
    yield "| log | instants | chosen anew | choosing | refitting, mean (most) | forecasting | code |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for name, row in twins.items():
        built = {
            how: [c["build_cpu_s"] for c in cuts[name] if c.get("built") == how]
            for how in ("selected", "refitted")
        }
        ahead = [c["forecast_cpu_s"] for c in cuts[name]]
        # Of the forecasts: they may have been scored again since.
        code = ", ".join(sorted({c["version"] for c in cuts[name]}))
        cells = [name, str(len(row["cuts"])), str(max(len(built["selected"]) - 1, 0))]
        cells += [_mean(built["selected"]), _mean(built["refitted"]), _mean(ahead), code]
        yield f"| {' | '.join(cells)} |"


def _mean(values: Sequence[float]) -> str:
    return f"{fmean(values):.1f} ({max(values):.1f})" if values else ""
