"""What `conftest.py` at the root does for every test, seen from runs of their own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from source_tree import ROOT

IGNORING = """
@pytest.mark.parametrize("number", ["SIGINT", "SIGHUP", "SIGQUIT"])
def test_it(number):
    code = f"import signal; signal.raise_signal(signal.{number}); print('deaf')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode and "deaf" not in done.stdout
"""

WAITING = """
@pytest.fixture
def child():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as child:
        print(child.pid, file=open("children", "a"))
        yield child  # the end of this block waits

def test_body(child):
    try:
        child.wait()
    finally:
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()

def test_cleanup(child):
    pass

def test_cleanup_after_a_failure(child):
    raise RuntimeError("failed before")
"""

CHANGING = """
def test_adding(): os.environ["ADDED"] = "1"
def test_removing(): del os.environ["PYTHONPATH"]
def test_moving(): os.chdir("/")
def test_handling(): signal.signal(signal.SIGINT, signal.SIG_DFL)
def test_undoing(monkeypatch): monkeypatch.setenv("UNDONE", "1")
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    """Run the text of a test module after a line of bash; gives what pytest said."""

    def run(text: str, *flags: str, before: str = "") -> str:
        (tmp_path / "test_it.py").write_text(f"import os, pytest, signal, subprocess, sys, threading\n{text}", "utf-8")
        program = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-W",
            "ignore",
            "-p",
            "conftest",
            "-p",
            "no:cacheprovider",
            *flags,
        ]
        return subprocess.run(
            ["bash", "-c", f'{before}\nexec "$@"', "bash", *program, "test_it.py"],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        ).stdout

    return run


@pytest.mark.parametrize("flags", [(), ("-n", "1")], ids=["alone", "in a worker"])
def test_children_get_the_signals_that_a_shell_made_the_run_ignore(run, flags: tuple[str, ...]) -> None:
    assert "3 passed" in run(IGNORING, *flags, before="trap '' INT HUP QUIT")


def test_no_test_waits_without_end_and_its_children_end_with_it(run, tmp_path: Path) -> None:
    said = run(WAITING, "--timeout=1")
    for test in (
        "FAILED test_it.py::test_body",
        "ERROR test_it.py::test_cleanup",
        "FAILED test_it.py::test_cleanup_after",
    ):
        assert test in said
    assert "Timeout (>1.0s)" in said
    assert not [child for child in (tmp_path / "children").read_text().split() if psutil.pid_exists(int(child))]


def test_a_test_that_leaves_the_process_changed_fails(run) -> None:
    said = run(CHANGING)
    for test, named in {
        "adding": "ADDED",
        "removing": "PYTHONPATH",
        "moving": "the working directory",
        "handling": "SIGINT",
    }.items():
        assert f"ERROR test_it.py::test_{test} - AssertionError: this test leaves {named} changed" in said
    assert "5 passed, 4 errors" in said
