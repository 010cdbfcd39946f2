"""Findings of the quality report as text, for the terminal and the page alike."""

from __future__ import annotations

from eventlogs.quality.found import Example
from eventlogs.quality.quality import Finding


def found_text(finding: Finding) -> str:
    """How much was found, such as `12 of 3,400 executions (0.4 %)`."""
    if finding.unit == "jumps":
        return f"{finding.count:,} times"
    share = f"{100 * finding.share:.1f}" if finding.share >= 0.001 else "under 0.1"
    return f"{finding.count:,} of {finding.of:,} {finding.unit} ({share} %)"


def example_text(example: Example) -> str:
    """One place, such as `case 17, Ship, 2024-03-04 09:00:00 UTC, row 12`."""
    parts = [
        f"case {example.case}" if example.case else "",
        example.activity or "",
        f"{example.at:%Y-%m-%d %H:%M:%S} UTC" if example.at and (example.case or example.activity) else "",
        f"{example.at:%Y-%m-%d}" if example.at and not (example.case or example.activity) else "",
        f"row {example.row}" if example.row is not None else "",
        example.note,
    ]
    return ", ".join(part for part in parts if part)
