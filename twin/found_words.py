"""What a candidate found in the log that the winner doesn't use, in words."""

from __future__ import annotations

from metagraph.model import Metagraph
from twin.batch_words import batch_text
from twin.model_words import gateway_names
from twin.rules_told import rules_told
from twin.words import few, mean_text

TOLD = 5


def not_used(found: Metagraph, used: Metagraph) -> str:
    """Rules, batches, timeouts and joint branches of one twin that the other lacks; '' if none."""
    kept = set(_all(used))
    lost = [sentence for sentence in _all(found) if sentence not in kept]
    if not lost:
        return ""
    more = f"; and {len(lost) - TOLD} more" if len(lost) > TOLD else ""
    return f"found in the log but not used: {'; '.join(lost[:TOLD])}{more}"


def _all(metagraph: Metagraph) -> list[str]:
    batches = [f"{t.label} in batches, {batch_text(t.batch)}" for t in metagraph.tasks() if t.batch]
    timeouts = [
        f"{t.label} is held until {mean_text(t.delay.default)} after the release, on average"
        for t in metagraph.tasks()
        if t.delay and t.delay.since == "release"
    ]
    inclusive = [node.id for node in metagraph.nodes if node.kind == "or_split"]
    names = gateway_names(metagraph) if inclusive else {}
    joint = [f"branches taken together {few(names[node] for node in inclusive)}"] if inclusive else []
    return [*(sentence.rstrip(".") for sentence in rules_told(metagraph)), *batches, *timeouts, *joint]
