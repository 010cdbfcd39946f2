"""Sentences that speak of commands and their options, in the words of the page."""

from __future__ import annotations

import re
from pathlib import Path

_HERE = {
    r"; say which with --map .*": "; choose them above",
    r"; say which with --time-format .*": "; choose their order above, under “Dates”",
    r"; give its pattern, such as --time-format .*": "; choose another column above",
    r"; say which sign is decimal with --decimal .*": "; choose it above, under “Decimal sign”",
    r"; say which are the cases with --object-type": "; choose them above",
    r"; mend it, or set such rows aside with 'import take --quarantine'": "",
    r"--map (\w+)=(.*?) names": r"\1 = \2 names",
    r"add --tz ZONE if": "choose their zone above if",
    r"; say 'import take --tz Europe/Paris', for example, if the times are local there": (
        "; choose their zone above if they are local elsewhere"
    ),
    r": 'tracetwin import quarantined' writes them .*": (
        "; download them below, correct them, and give them back there."
    ),
    r"Correct these times, or give --until\.": "Correct these times.",
    r"give the zone: --tz for stamps without one, and time_zone under \[log\] in twin\.toml for": (
        "choose the zone above, for stamps without one and for"
    ),
    r" --open names them by hand\.": "",
}
"""What a sentence says of the options of commands -> what to do on this page."""


def on_page(text: str, path: Path) -> str:
    """A sentence in the page's words: the file by its own name, and what to do here instead of options."""
    told = text.replace(str(path), path.name)
    for option, here in _HERE.items():
        told = re.sub(option, here, told)
    return told
