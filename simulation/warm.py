"""`python -m simulation.warm`: compile the simulation kernel now, so that nobody waits for it later."""

from __future__ import annotations

import shutil

from simulation import kernel
from simulation.kernel_code import folder


def warm() -> bool:
    """Compile what isn't yet, and drop what older sources left; whether there was anything to compile."""
    missing = not kernel.compiled()
    if missing:
        kernel.compile_all()
    here = folder()
    if here.is_dir():
        for other in here.parent.iterdir():
            if other != here and other.is_dir():
                shutil.rmtree(other, ignore_errors=True)
    return missing


if __name__ == "__main__":
    warm()
