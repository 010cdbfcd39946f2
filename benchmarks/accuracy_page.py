"""docs/accuracy.md: what was measured, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from benchmarks.ablation import CHOSEN, worth
from benchmarks.accuracy_bars import COPY, JUDGED, US, bars, cells_of, mean_ranks
from benchmarks.published import Peer

METRICS = ("NGD", "AEDD", "CADD", "CEDD", "REDD", "CTDD")
ORACLE = "training cases on true arrivals"
CHANCE = "two samples of the past"
Rows = Mapping[str, Mapping[str, Any]]
"""The last row of each log."""

HEAD = """# How real are the simulated logs?

Made by `python -m benchmarks.accuracy`. Logs are split at 80 % of the events by end time, cases that cross
the cut dropped. Each twin is built from the training part alone, told that none of its cases is open; it then
simulates as many cases as the test part has, from the first test arrival on, ten times with arrivals drawn
anew. Distances (package log-distance-measures, Wasserstein, lower is better): NGD 3-grams of activities (0 to
1); in hours: AEDD absolute event times, CADD arrivals, CEDD circadian, REDD since case start, CTDD cycle
times.

'Last period copied' is the end of the training part shifted by whole weeks: a twin that is worse than that
has not learned the process. 'Training cases on true arrivals' is an **oracle**: it knows when the test cases
arrive, which no simulator does; it has no part in ranks and bars. 'Two samples of the past' are two draws
of as many training cases on the test arrivals, held against each other: what **chance** alone makes, below
which no twin can be expected. CPU seconds and peak memory are those of the build.
"""


def page(
    logs: Rows,
    peers: Mapping[str, Sequence[Peer]],
    ablation: Sequence[Mapping[str, Any]],
    scale: Any,
    failed: Mapping[str, str],
) -> str:
    """The whole page. Logs with published numbers come first."""
    public = {name: row for name, row in logs.items() if peers.get(name)}
    others = {name: row for name, row in logs.items() if name not in public}
    parts = [HEAD, _bars(public, peers), *(_log(name, row, peers[name]) for name, row in public.items())]
    if others:
        parts.append(OTHERS)
        parts += [_bars(others, {}), *(_log(name, row, ()) for name, row in others.items())]
    parts += [f"## {name}\n\n**Failed**:\n\n```\n{told}\n```\n" for name, told in failed.items()]
    parts += [_scale(scale), _ablation(ablation, list(logs))]
    return "\n".join(part for part in parts if part)


OTHERS = """# Other logs

No figures of other simulators are known for these. Those made by `python -m benchmarks.characters` come from
known processes unlike each other and stand in for logs that nobody has seen yet.
"""


def _means(row: Mapping[str, Any]) -> dict[str, float]:
    return {metric: fmean(values) for metric, values in row["distances"].items()}


def _copy(row: Mapping[str, Any]) -> dict[str, float]:
    return {metric: fmean(values) for metric, values in row["references"][COPY].items()}


def _bars(logs: Rows, peers: Mapping[str, Sequence[Peer]]) -> str:
    ours, copies = ({name: of(row) for name, row in logs.items()} for of in (_means, _copy))
    cost = {name: (row["cpu_s"], row["memory_mb"]) for name, row in logs.items()}
    cells = cells_of(ours, copies, peers)
    lines = [f"- {'met' if bar.met else '**missed**'}: {bar.text}" for bar in bars(ours, cells, cost)]
    if not cells:
        lines += [_against_copy(ours, copies)]
        return "\n".join(lines) + "\n"
    table = ["| system | mean rank | cells |", "| --- | --- | --- |"]
    table += [f"| {system} | {rank:.2f} | {n} |" for system, (rank, n) in mean_ranks(cells).items()]
    return "\n".join(["## Bars\n", *lines, "", *table]) + "\n"


def _against_copy(ours: Mapping[str, Mapping[str, float]], copies: Mapping[str, Mapping[str, float]]) -> str:
    cells = [(log, m) for log in ours for m in JUDGED]
    worse = [f"{log} {m}" for log, m in cells if ours[log][m] > copies[log][m]]
    told = f" (not in {', '.join(worse)})" if worse else ""
    return f"- at or below the last-period copy in {len(cells) - len(worse)} of {len(cells)} cells{told}"


def _log(name: str, row: Mapping[str, Any], peers: Sequence[Peer]) -> str:
    lines = [f"## {name}\n", _row("system", METRICS), _row("---", ["---"] * len(METRICS))]
    ours = [_cell(row["distances"][m]) for m in METRICS]
    lines.append(_row(f"**{US}** (mean ± sd of {row['runs']})", ours))
    for peer in peers:
        how = "run by us" if peer.ours else "published"
        lines.append(_row(f"{peer.system} ({how})", [_number(peer.means.get(m)) for m in METRICS]))
    for reference, values in row["references"].items():
        shown = {ORACLE: f"*{ORACLE} (oracle)*", CHANCE: f"*{CHANCE} (chance)*"}.get(reference, reference)
        lines.append(_row(shown, [_number(fmean(values[m])) for m in METRICS]))
    chosen = "; ".join(f"{what}: {choice}" for what, choice in row["choices"].items())
    size = row.get("drawing")
    drawn = f" [The twin's process](twins/{name}.svg)" if size else ""
    fits = f" ({size['width']:.0f} by {size['height']:.0f} pixels)." if size else ""
    lines.append(
        f"\nBuild: {row['cpu_s']:.0f} CPU s, {row['memory_mb']:.0f} MB, {row['wall_s']:.0f} s. "
        f"Chosen: {chosen}. Code {row['version']}.{drawn}{fits}"
    )
    return "\n".join(lines) + "\n"


def _scale(row: Any) -> str:
    if not row:
        return ""
    return (
        "# Scale\n\nA log made like that of a large bank (`python -m benchmarks.characters`): "
        f"{row['lines']:,} lines, {row['cases']:,} cases, {row['activities']} activities, {row['resources']} "
        f"resources. Build: {row['cpu_s']:.0f} CPU s, {row['wall_s']:.0f} s (goal ≤ 600 s on 2 cores: "
        f"{'met' if row['wall_s'] <= 600 else '**missed**'}), {row['memory_mb']:.0f} MB (goal ≤ 2048 MB: "
        f"{'met' if row['memory_mb'] <= 2048 else '**missed**'}). Code {row['version']}.\n"
    )


def _ablation(rows: Sequence[Mapping[str, Any]], logs: Sequence[str]) -> str:
    if not rows:
        return ""
    parts = [ABLATION]
    for log in logs:
        mine = [row for row in rows if row["log"] == log]
        base = next((row for row in mine if row["variant"] == CHOSEN), None)
        if base is None:
            continue
        lines = [f"## {log}: ingredients\n", _row("ingredient", [*JUDGED, "worth"]), _row("---", ["---"] * 6)]
        for row in mine:
            if row["variant"] != CHOSEN and not row["distances"]:
                continue
            value = "" if row is base else f"{worth(base['distances'], row['distances'], JUDGED):+.3f}"
            lines.append(_row(row["variant"], [*(_cell(row["distances"][m]) for m in JUDGED), value]))
        idle = [row["variant"] for row in mine if row["variant"] != CHOSEN and not row["distances"]]
        if idle:
            lines.append(f"\nNo difference to the model: {'; '.join(idle)}.")
        lines.append(f"\nMean ± sd of {base['runs']} runs. Code {base['version']}.")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


ABLATION = """# What each ingredient is worth

The chosen twin, and the same with one ingredient switched off, on or changed, fitted to the training part and
held against the test part with the same seeds. 'Worth' is the mean logarithm of the five distances over those
of the chosen twin: +0.10 says that they are 10 % larger without the ingredient (or with what was not chosen),
a negative figure that the build would have done better otherwise on this test part.
"""


def _row(first: str, cells: Sequence[str]) -> str:
    return f"| {first} | {' | '.join(cells)} |"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _cell(values: Sequence[float]) -> str:
    spread = f" ± {stdev(values):.2g}" if len(values) > 1 else ""
    return f"{_number(fmean(values))}{spread}"
