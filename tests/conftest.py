"""What all tests share: reproducible Hypothesis runs, a drawing backend without a screen, the public logs."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")

# A shared machine is slow at times, and a failure on one machine must be a failure on the next.
settings.register_profile("tracetwin", deadline=None, derandomize=True)
settings.load_profile("tracetwin")


@pytest.fixture(scope="session")
def public_logs() -> Path:
    """The folder that holds `accuracy/` and `forecast/`, named by TRACETWIN_LOGS."""
    folder = os.environ.get("TRACETWIN_LOGS")
    if not folder:
        pytest.skip("needs the public logs: TRACETWIN_LOGS names the folder of accuracy/ and forecast/")
    return Path(folder)
