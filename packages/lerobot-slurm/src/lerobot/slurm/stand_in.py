"""A SLURM cluster of one machine, for tests: sbatch, squeue, sacct and scancel that really run the tasks of arrays.

`install` puts the commands into a folder for PATH. Each is this file, started as a program with the command's name; a
job is a file of JSON that its own controller process writes and the other commands read.
"""

import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

COMMANDS = ("sbatch", "squeue", "sacct", "scancel", "srun", "scontrol")
LIVE = ("PENDING", "RUNNING")
_TICK_S = 0.02


def install(folder: Path) -> Path:
    """Write the commands.

    Args:
        folder: for them; what happens is kept in `state` beside them.

    Returns:
        The folder, to be the first of PATH.
    """
    (folder / "state").mkdir(parents=True)
    for name in COMMANDS:
        program = folder / name
        words = shlex.join([sys.executable, "-I", "-S", __file__, name, str(folder / "state")])
        program.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return folder


def jobs(state: Path) -> dict[str, dict[str, Any]]:
    """Every job so far, by id: `name`, `script`, and `tasks` with `state`, `code` and `pid` each."""
    return {path.stem: _read(path) for path in sorted(state.glob("*.json"))}


def _read(path: Path) -> Any:
    # Started without any library, so that a command is there in milliseconds.
    with path.open(encoding="utf-8") as file:
        return json.load(file)


def _write(state: Path, job: str, content: dict[str, Any]) -> None:
    aside = state / f".{job}.{os.getpid()}"
    aside.write_text(json.dumps(content))
    aside.replace(state / f"{job}.json")


def _sbatch(state: Path, options: Sequence[str]) -> str:
    script = Path(options[-1])
    given: dict[str, str] = {}
    for line in script.read_text().splitlines():
        if line.startswith("#SBATCH "):
            name, _, value = shlex.split(line.removeprefix("#SBATCH "))[0].partition("=")
            given[name] = value
    spec, _, limit = given.get("--array", "0").partition("%")
    indices: list[int] = []
    for part in spec.split(","):
        first, _, last = part.partition("-")
        indices += range(int(first), int(last or first) + 1)
    if len(indices) > int(os.environ.get("STAND_IN_MAX_ARRAY", "1001")):
        sys.exit("sbatch: error: Batch job submission failed: Invalid job array specification")
    job = str(100 + len(list(state.glob("*.json"))))
    tasks = {str(index): {"state": "PENDING", "code": 0, "pid": 0} for index in indices}
    _write(state, job, {"name": given["--job-name"], "script": str(script), "given": given, "tasks": tasks})
    # What is submitted is what the script is now.
    (state / f"{job}.sh").write_text(script.read_text())
    subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, "controller", str(state), job, limit or "1000"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(state / f"{job}.err").open("w"),
        start_new_session=True,
    )
    return job


def _controller(state: Path, options: Sequence[str]) -> str:
    job, limit = options[0], int(options[1])
    content = _read(state / f"{job}.json")
    is_array = "--array" in content["given"]
    before = content["given"].get("--dependency", "").rpartition(":")[2]
    running: dict[str, subprocess.Popen[bytes]] = {}
    tasks = content["tasks"]
    while any(task["state"] in LIVE for task in tasks.values()):
        cancelled = (state / f"{job}.cancel").exists()
        for index, process in list(running.items()):
            if cancelled:
                os.killpg(process.pid, signal.SIGKILL)
            if process.poll() is not None:
                del running[index]
                how = "CANCELLED by 0" if cancelled else "FAILED" if process.returncode else "COMPLETED"
                tasks[index] |= {"state": how, "code": process.returncode}
        may_begin = not before or not any(task["state"] in LIVE for task in jobs(state)[before]["tasks"].values())
        for index, task in tasks.items():
            if task["state"] == "PENDING" and cancelled:
                task["state"] = "CANCELLED by 0"
            elif task["state"] == "PENDING" and may_begin and len(running) < limit:
                running[index] = _begun(state, job, index, content["given"], is_array)
                task |= {"state": "RUNNING", "pid": running[index].pid}
        _write(state, job, content)
        time.sleep(_TICK_S)
    return ""


def _begun(state: Path, job: str, index: str, given: dict[str, str], is_array: bool) -> "subprocess.Popen[bytes]":
    names = {"%A": job, "%a": index, "%j": job, "%%": "%"}
    output = Path(re.sub("%.", lambda found: names[found.group()], given["--output"]))
    output.parent.mkdir(parents=True, exist_ok=True)
    place = {"SLURM_JOB_ID": job, "SLURM_JOB_NODELIST": "here"}
    if is_array:
        place |= {"SLURM_ARRAY_JOB_ID": job, "SLURM_ARRAY_TASK_ID": index}
    with output.open("wb") as file:
        return subprocess.Popen(
            ["bash", str(state / f"{job}.sh")],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=os.environ | place,
            start_new_session=True,
        )


def _squeue(state: Path, options: Sequence[str]) -> str:
    if (state / "busy").exists():
        sys.exit("slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
    names = next(option for option in options if option.startswith("--name=")).removeprefix("--name=").split(",")
    return "\n".join(
        f"{content['name']}|{job}|{index}"
        for job, content in jobs(state).items()
        for index, task in content["tasks"].items()
        if content["name"] in names and task["state"] in LIVE
    )


def _sacct(state: Path, options: Sequence[str]) -> str:
    asked = next(option for option in options if option.startswith("--jobs=")).removeprefix("--jobs=")
    job, _, index = asked.partition("_")
    task = jobs(state)[job]["tasks"][index]
    code = task["code"]
    return f"{task['state']}|{code}:0" if code >= 0 else f"{task['state']}|0:{-code}"


def _scancel(state: Path, options: Sequence[str]) -> str:
    for job in options:
        (state / f"{job}.cancel").touch()
    return ""


def _srun(_state: Path, options: Sequence[str]) -> str:
    os.execvp(options[0], list(options))


def _scontrol(_state: Path, _options: Sequence[str]) -> str:
    return "127.0.0.1"


if __name__ == "__main__":
    command = globals()[f"_{sys.argv[1]}"]
    sys.stdout.write(f"{command(Path(sys.argv[2]), sys.argv[3:])}\n")
