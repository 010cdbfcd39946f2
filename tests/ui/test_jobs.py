"""Jobs outlive the page, end with a sentence, and stop with all they started."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from ui import jobs


def wait(folder: Path, seconds: float = 10.0) -> jobs.JobState:
    until = time.monotonic() + seconds
    while jobs.state(folder).status == "running" and time.monotonic() < until:
        time.sleep(0.02)
    return jobs.state(folder)


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def test_a_folder_without_a_job(tmp_path: Path) -> None:
    assert jobs.state(tmp_path / "none").status == "none"
    jobs.cancel(tmp_path / "none")


def test_output_and_progress_of_a_job(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    code = 'import sys; open(sys.argv[1], \'w\').write(\'{"step": "mining", "share": 0.5}\\nhalf a li\')'
    jobs.start(folder, python(code + "; print('hello')", str(jobs.progress_file(folder))), tmp_path)
    done = wait(folder)
    assert (done.status, done.step, done.share) == ("done", "mining", 1.0)
    assert jobs.output(folder) == "hello\n"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (
            "import sys; print('warning', file=sys.stderr); sys.exit('tracetwin: no such column')",
            "no such column",
        ),
        ("raise ValueError('broken')", "ValueError: broken"),
        ("import sys; sys.exit(7)", "the job ended with exit code 7 and said nothing"),
    ],
)
def test_a_failed_job_says_why(tmp_path: Path, code: str, says: str) -> None:
    jobs.start(tmp_path / "job", python(code), tmp_path)
    failed = wait(tmp_path / "job")
    assert (failed.status, failed.message) == ("failed", says)


def test_a_job_that_is_interrupted_may_answer_with_what_it_has(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    code = (
        "import signal, sys, time\nasked = []\nsignal.signal(signal.SIGINT, lambda *_: asked.append(1))\n"
        "open(sys.argv[1], 'w').close()\nwhile not asked: time.sleep(0.02)\nprint('the best so far')"
    )
    jobs.start(folder, python(code, str(tmp_path / "ready")), tmp_path)
    until = time.monotonic() + 10.0
    while not (tmp_path / "ready").exists() and time.monotonic() < until:
        time.sleep(0.02)
    jobs.interrupt(folder)
    assert wait(folder).status == "done"
    assert jobs.output(folder) == "the best so far\n"
    jobs.interrupt(folder)


def test_stopping_stops_everything_that_was_started(tmp_path: Path) -> None:
    folder, marks = tmp_path / "job", tmp_path / "marks"
    grandchild = "import sys, time\nwhile True: time.sleep(0.02); open(sys.argv[1], 'a').write('.')"
    call = f"[sys.executable, '-c', {grandchild!r}, sys.argv[1]]"
    code = f"import subprocess, sys; subprocess.run({call})"
    jobs.start(folder, python(code, str(marks)), tmp_path)
    until = time.monotonic() + 10
    while not marks.exists() and time.monotonic() < until:
        time.sleep(0.02)
    with pytest.raises(RuntimeError, match="already running"):
        jobs.start(folder, python("pass"), tmp_path)
    jobs.cancel(folder)
    assert jobs.state(folder).status == "stopped"
    time.sleep(0.1)
    marked = marks.stat().st_size
    time.sleep(0.2)
    assert marks.stat().st_size == marked


def test_a_job_that_was_killed_from_outside_has_failed(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    jobs.start(folder, python("import time; time.sleep(60)"), tmp_path)
    os.killpg(int((folder / "pid").read_text()), signal.SIGKILL)
    killed = wait(folder)
    assert (killed.status, "from outside" in killed.message) == ("failed", True)


def test_a_new_job_forgets_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    jobs.start(folder, python("import time; time.sleep(60)"), tmp_path)
    jobs.cancel(folder)
    assert jobs.state(folder).status == "stopped"
    jobs.start(folder, python("pass"), tmp_path)
    assert wait(folder).status == "done"
