"""Texts of a drawing: labels wrapped to a width, durations and probabilities for people."""

from __future__ import annotations

import math
import re
import unicodedata

_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
_NARROW, _WIDE = frozenset("fijlrtI1.,:;|!'()[]/- "), frozenset("mwMWOQGD@%&…")


def human_time(seconds: float) -> str:
    """A duration in the largest unit that leaves at least one of it: '45 s', '12 min', '3.4 h', '2 d'."""
    if not math.isfinite(seconds):
        return "?" if math.isnan(seconds) else "∞"
    for size, unit in _UNITS:
        if abs(seconds) >= size * 0.995:
            amount = seconds / size
            digits = 0 if abs(amount) >= 9.95 or abs(amount - round(amount)) < 0.05 else 1
            return f"{amount:.{digits}f} {unit}"
    return f"{seconds:.2g} s" if seconds else "0 s"


def percent(share: float) -> str:
    """A probability as a percentage that never rounds something to nothing, nor nearly all to all."""
    if 0 < share < 0.001:
        return "<0.1%"
    if 0.999 < share < 1:
        return ">99.9%"
    digits = 1 if 0 < share < 0.0095 or 0.995 <= share < 1 else 0
    return f"{100 * share:.{digits}f}%"


def rule_text(when: str) -> str:
    """An expression on orders as a person would write it: amount > 5,000 and region = 'North'."""
    pieces = re.split(r"(attr\((?:'[^']*'|\"[^\"]*\")\)|'[^']*'|\"[^\"]*\")", " ".join(when.split()))
    return "".join(
        piece[6:-2] if piece.startswith("attr(") else piece if i % 2 else _plain(piece)
        for i, piece in enumerate(pieces)
    )


def _plain(code: str) -> str:
    for sign, word in (("==", "="), ("!=", "is not"), ("<=", "≤"), (">=", "≥")):
        code = code.replace(sign, word)
    return re.sub(r"(?<![\w.])\d{4,}(?![\w])", lambda found: f"{int(found[0]):,}", code)


def text_width(text: str) -> float:
    """Width in em of bold text in a wide sans-serif font: an upper estimate for most fonts."""
    return sum(map(_char_width, text))


def _char_width(char: str) -> float:
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.05
    if char in _NARROW:
        return 0.46
    if char in _WIDE:
        return 1.0
    return 0.8 if char.isupper() else 0.7


def wrapped(label: str, width: float, most: int) -> tuple[str, ...]:
    """The label in at most `most` lines of `width` em; what doesn't fit ends in an ellipsis."""
    lines: list[str] = [""]
    for part in _parts(" ".join(label.split()), width):
        if lines[-1] and text_width((lines[-1] + part).rstrip()) > width:
            lines.append("")
        lines[-1] += part if lines[-1] else part.lstrip()
    if len(lines) > most:
        lines = [*lines[: most - 1], shortened("".join(lines[most - 1 :]), width)]
    return tuple(line.strip() for line in lines)


def shortened(text: str, width: float) -> str:
    """The text, cut to `width` em with an ellipsis where it is longer."""
    if text_width(text) <= width:
        return text
    while text and text_width(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"


def _parts(label: str, width: float) -> list[str]:
    """Where a line may break: after spaces and joints, before inner capitals, in endless words anywhere."""
    parts: list[str] = []
    for word in re.findall(r"\S+\s*", label):
        if text_width(word.rstrip()) <= width:
            parts.append(word)
            continue
        for piece in re.findall(r".*?(?:[_\-/.:]+|(?<=[a-z])(?=[A-Z])|$)", word):
            while text_width(piece.rstrip()) > width:
                cut = next(i for i in range(1, len(piece) + 1) if text_width(piece[: i + 1]) > width)
                parts.append(piece[:cut])
                piece = piece[cut:]
            parts += [piece] if piece else []
    return parts
