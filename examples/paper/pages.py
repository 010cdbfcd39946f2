"""What the pages of the paper's examples share: tables and means with their intervals."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt

PAPER = (
    "Perez, Wassick and Grossmann, *A digital twin framework for online optimization of supply chain "
    "business processes* (2023)"
)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """In Markdown; the first `left` columns are text, the others numbers."""
    rule = "|" + " --- |" * left + " ---: |" * (len(head) - left)
    return "\n".join([f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def wrapped(text: str) -> str:
    """Paragraphs in lines of at most 120 characters; tables, headings, pictures and code as they are."""
    parts = []
    for part in text.split("\n\n"):
        whole = part.lstrip("\n")
        plain = whole and whole[0] not in "#|!" and not whole.startswith("    ")
        parts.append(
            textwrap.fill(whole.strip(), 120, break_long_words=False, break_on_hyphens=False)
            if plain
            else whole
        )
    return "\n\n".join(parts).rstrip() + "\n"


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its two-sided 95 % t-interval."""

    mean: float
    low: float
    high: float

    @property
    def half(self) -> float:
        return self.high - self.mean


def mean_of(values: Sequence[float]) -> Mean:
    """NaN bounds for fewer than two values."""
    import numpy as np
    from scipy.stats import t

    found, n = np.asarray(values, float), len(values)
    mean = float(found.mean())
    half = float(t.ppf(0.975, n - 1) * found.std(ddof=1) / sqrt(n)) if n > 1 else nan
    return Mean(mean, mean - half, mean + half)
