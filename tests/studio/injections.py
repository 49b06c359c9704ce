"""Takes away what drives an arm, at any moment, and looks at the arm afterwards.

One `Bench` is a studio of its own with one arm that records, or that a page jogs. `inject` brings the arm into some
phase, does one thing to page, studio, line or command at a moment drawn by chance, and says what was unsafe: a goal
that moved on after the stop, no stop where nobody controlled, an acknowledged episode that cannot be read, a process
that nobody knows of.
"""

import contextlib
import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import psutil
from arm_log import HELD, ArmLog
from cut_line import CutLine
from raw_client import RawClient
from studio_process import Studio, wait_for
from wire_page import WirePage

from lerobot.core.json_file import read_json
from lerobot.datasets.lerobot_dataset import LeRobotDataset

KEYS = [f"{joint}.pos" for joint in ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll")]
GRIPPER = "gripper.pos"
POSITIONS = ", ".join([*(f"{key}: [-60, 60]" for key in KEYS), f"{GRIPPER}: [0, 100]"])
STEP = f"{{type: jog_to_joints, positions: {{{POSITIONS}}}}}"
COMMANDS = {
    "teleoperate": [
        "--teleop.type=browser",
        f"--teleop.keys=[{', '.join([*KEYS, GRIPPER])}]",
        f"--processors.teleop=[{STEP}]",
    ],
    "record": [
        "--teleop.type=scripted",
        "--dataset.num_episodes=5000",
        "--dataset.episode_time_s=1",
        "--dataset.reset_time_s=0.4",
        "--dataset.single_task=lift",
        "--dataset.push_to_hub=false",
        "--dataset.no_stamp=true",
        "--play_sounds=false",
    ],
}
PHASES = ("starting", "moving", "pausing", "ending")
SETTLE_S = 0.25
"""After a stop was written down: the turn that was under way may still be sent, on a machine that is busy elsewhere."""
STOPS_WITHIN_S = 15.0
"""Without a page an arm holds after 1.5 s; more is only waited for, not allowed: what moves meanwhile is reported."""
SAVED = re.compile(r"^Episode (\d+) saved: (\d+) frames", re.M)


class Bench:
    """See the text of this module.

    Args:
        folder: for its studio.
        seed: number that decides everything.

    Attributes:
        done: how many injections ran, by kind.
        unsafe: what went wrong with motions, in words.
        lost: acknowledged episodes that cannot be read, in words.
        checked: how many acknowledged episodes were read.
        held_after_s: from each injection that had to end in a stop, or the first command if that came later, to the
            last goal that moved, seconds; below 0 if nothing moved.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.draw = random.Random(seed)
        self.studio = Studio(folder).start()
        self.log = ArmLog(self.studio.arm_log)
        self.done: Counter[str] = Counter()
        self.unsafe: list[str] = []
        self.lost: list[str] = []
        self.checked = 0
        self.held_after_s: list[float] = []
        try:
            self._line = self._new_line()
            self._visitor = RawClient(self.studio).enter()
            self._page = self._new_page()
        except BaseException:
            self.studio.close()
            raise
        self._run, self._command, self._root = "", "", Path()
        self._runs = 0
        self._is_ending = False

    def close(self) -> None:
        """End everything, and look at what is left."""
        try:
            self._end_run()
            if others := self.studio.children():
                self.unsafe.append(
                    f"processes that nobody ended: {[(process.pid, *process.cmdline()) for process in others]}"
                )
        finally:
            self._page.cut()
            self._line.close()
            self.studio.close()

    # --- one injection -----------------------------------------------------------------------------------------------

    def inject(self, kind: str) -> None:
        """Do one thing, and judge."""
        phase = self._phase()
        time.sleep(self.draw.uniform(0, 0.6))
        pid, name = self._pid, f"{kind} while {phase} ({self._command})"
        began_s = time.time()
        must_stop = KINDS[kind](self)
        self.done[kind] += 1
        self._judge(name, pid, began_s, must_stop)
        self._recover()
        if phase == "ending":
            self._end_run()

    def _judge(self, name: str, pid: int, began_s: float, must_stop: bool) -> None:
        if must_stop:
            self._await_stop(pid)
        stop_s = self._stop_s
        if stop_s is not None:
            time.sleep(SETTLE_S + 0.3)
            if wrong := self.log.unsafe_end(pid, stop_s + SETTLE_S):
                self.unsafe.append(f"{name}: {wrong}")
        elif must_stop and _lives(pid):
            self.unsafe.append(f"{name}: nobody controls, and nothing stopped within {STOPS_WITHIN_S:g} s")
        if must_stop:
            first_s = next((line.time_s for line in self.log.commands(pid)), began_s)
            self.held_after_s.append(self._last_move_s(pid, began_s) - max(began_s, first_s))
        if not _lives(pid):
            self._check_episodes(name)

    def _await_stop(self, pid: int) -> None:
        # A command that is still being imported moves nothing, and has nothing to stop.
        wait_for(lambda: self._stop_s is not None or not _lives(pid) or self.log.commands(pid), "a first command")
        deadline = time.monotonic() + STOPS_WITHIN_S
        while self._stop_s is None and _lives(pid) and time.monotonic() < deadline:
            time.sleep(0.02)

    def _last_move_s(self, pid: int, since_s: float) -> float:
        commands = self.log.commands(pid, since_s)
        moves = [
            later.time_s
            for earlier, later in pairwise(commands)
            if any(abs(later.goals[key] - value) > HELD / 10 for key, value in earlier.goals.items())
        ]
        return max(moves, default=since_s)

    def _check_episodes(self, name: str) -> None:
        if self._command != "record" or not self._run:
            return
        told = [(int(index), int(frames)) for index, frames in SAVED.findall(self.studio.said(self._run))]
        if told:
            try:
                dataset = LeRobotDataset("test/set", self._root)
                lengths = [int(row["length"]) for row in dataset.meta.episodes]
                float(dataset[len(dataset) - 1]["timestamp"])
            except Exception as error:  # whatever it is, the episodes cannot be read
                self.lost += [f"{name}: {len(told)} episodes, {type(error).__name__}: {error}"]
                return
            for index, frames in told:
                if index >= len(lengths) or lengths[index] != frames:
                    self.lost.append(f"{name}: episode {index} of {frames} frames, there are {lengths}")
            self.checked += len(told)
        self._run = ""

    # --- phases ------------------------------------------------------------------------------------------------------

    def _phase(self) -> str:
        phase = self.draw.choice(PHASES)
        if phase in ("starting", "ending") and self._run:
            # The others leave the arm running: these are what costs time, so there are fewer of them.
            phase = phase if self.draw.random() < 0.3 else "moving"
        if phase == "starting":
            self._end_run()
        if not self._run:
            self._start_run()
        if phase == "starting":
            return phase
        self._await_motion()
        if phase == "pausing" and self._command == "record":
            saved = len(SAVED.findall(self.studio.said(self._run)))
            wait_for(lambda: len(SAVED.findall(self.studio.said(self._run))) > saved or not _lives(self._pid), "an end")
        elif phase == "pausing":
            self._page.jog = None
        elif phase == "ending":
            self._interrupt()
        return phase

    def _start_run(self, command: str = "") -> None:
        self._command = command or self.draw.choice(list(COMMANDS))
        self._runs += 1
        self._is_ending = False
        self._root = self.studio.work / f"set-{self._runs}"
        own = ["--dataset.repo_id=test/set", f"--dataset.root={self._root}", "--dataset.fps=30"]
        arguments = ["--robot.type=witness_arm", *COMMANDS[self._command]]
        arguments += own if self._command == "record" else ["--fps=60"]
        self._run = self._visitor.start(self._command, arguments, self._page.tab)

    def _await_motion(self) -> None:
        self._jog()
        since_s = time.time()

        def moves() -> bool:
            assert _lives(self._pid), f"{self._command} ended:\n{self.studio.said(self._run)[-2000:]}"
            return self.log.way(self._pid, since_s) > HELD

        wait_for(moves, f"{self._command} does not move")

    def _jog(self) -> None:
        direction = self.draw.choice((-1.0, 1.0))
        keys = self.draw.sample(KEYS, 2)
        # What stands at the end of its range cannot move: the first joint is turned to where there is more room.
        commands = self.log.commands(self._pid)
        for key in keys:
            if commands and abs(commands[-1].goals[key]) > 20:
                direction = -1.0 if commands[-1].goals[key] > 0 else 1.0
                keys = [key]
                break
        self._page.jog = (self._run, dict.fromkeys(keys, direction)) if self._command == "teleoperate" else None

    def _end_run(self) -> None:
        if not self._run:
            return
        pid = self._pid
        if _lives(pid):
            if not self._is_ending:
                self._interrupt()
            wait_for(lambda: not _lives(pid), f"{self._command} does not end")
            if wrong := self.log.unsafe_end(pid, time.time()):
                self.unsafe.append(f"end of {self._command}: {wrong}")
            events = [line.event for line in self.log.lines(pid)]
            if "connect" in events and "safe_state" not in events:
                self.unsafe.append(f"end of {self._command}: without the safe state, {events[-3:]}")
        self._check_episodes("end")
        self._run = ""

    def _interrupt(self) -> None:
        """As the button of its page; once: a second time would not let it end in order."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGINT)
        self._is_ending = True

    def _recover(self) -> None:
        """One page controls, nothing is stopped, and the run goes on, if it lives."""
        if not self._page.is_open or self._page.frozen:
            self._page.cut()
            self._page = self._new_page(self._page.tab)
        self._page.take_control()
        wait_for(self._is_released, "the stop is not released")
        if self._run and not _lives(self._pid):
            self._check_episodes("afterwards")
            self._run = ""

    def _is_released(self) -> bool:
        """Press "release", and look a moment later: before a command heard that a page controls, it stops again."""
        if self._stop_s is not None:
            self._page.send(type="release")
            time.sleep(0.3)
        return self._stop_s is None

    def _new_line(self) -> CutLine:
        wait_for(self._address_file.exists, "where the studio is")
        return CutLine(self._address_file)

    def _new_page(self, tab: str = "") -> WirePage:
        page = WirePage(self.studio, self._visitor, tab)
        page.take_control()
        return page

    @property
    def _address_file(self) -> Path:
        return self.studio.home / "run" / "studio.json"

    @property
    def _pid(self) -> int:
        return int(self.studio.runs()[self._run]["pid"]) if self._run else 0

    @property
    def _stop_s(self) -> float | None:
        try:
            return float(read_json(self.studio.home / "run" / "stop.json")["time_s"])
        except FileNotFoundError:
            return None

    def stop_ms(self) -> float:
        """Press STOP while a page jogs, and let go again: milliseconds until the arm was told to stay."""
        if not self._run:
            self._start_run("teleoperate")
        self._await_motion()
        time.sleep(self.draw.uniform(0, 0.1))
        pressed_s = time.time()
        self._page.send(type="stop", reason="a try")
        time.sleep(0.3)
        commands = self.log.commands(self._pid, pressed_s)
        last = self._last_move_s(self._pid, pressed_s)
        held_s = next(line.time_s for line in commands if line.time_s > last)
        self._recover()
        return (held_s - pressed_s) * 1e3

    # --- what is done; each says whether the arm must be stopped afterwards -------------------------------------------

    def close_page(self) -> bool:
        """The tab is closed."""
        self._page.close()
        return True

    def kill_browser(self) -> bool:
        """The browser is killed."""
        self._page.cut()
        return True

    def sleep(self) -> bool:
        """The computer with the browser sleeps, its connections stay."""
        self._page.frozen = True
        return True

    def reload(self) -> bool:
        """The page is loaded again, quickly or slowly."""
        self._page.close()
        time.sleep(self.draw.choice((0.0, 0.3, 2.5)))
        self._page = self._new_page(self._page.tab)
        return False

    def watch(self) -> bool:
        """A second tab watches, tries to act, and is closed."""
        second = WirePage(self.studio, self._visitor)
        wait_for(lambda: second.state, "the studio's first word")
        second.send(type="jog", run=self._run, keys=dict.fromkeys(KEYS, 1.0), t=time.monotonic())
        wait_for(lambda: second.errors, "a refusal")
        second.close()
        return False

    def take_over(self) -> bool:
        """A second tab takes control, the first is closed."""
        first, self._page = self._page, self._new_page()
        first.close()
        return False

    def take_over_and_close(self) -> bool:
        """A second tab takes control and is closed, while the first looks on."""
        second = self._new_page()
        second.cut()
        return True

    def kill_studio(self) -> bool:
        """The studio is killed; a new one finds the run."""
        self.studio.kill()
        self._await_stop(self._pid)
        self._restart()
        return True

    def freeze_studio(self) -> bool:
        """The studio hangs for a while; an arm that begins to move only afterwards need not stop."""
        moved = bool(self.log.commands(self._pid))
        os.kill(self.studio.pid, signal.SIGSTOP)
        try:
            time.sleep(self.draw.uniform(2.2, 3.5))
        finally:
            os.kill(self.studio.pid, signal.SIGCONT)
        return moved

    def kill_command(self) -> bool:
        """The command is killed; the studio goes on."""
        pid = self._pid
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        wait_for(lambda: not _lives(pid), "the end of a killed command")
        if not self.studio.is_running:
            self.unsafe.append("the studio ended with the command")
        return False

    def cut_line(self) -> bool:
        """The line between command and studio breaks, and can be had again."""
        self._line.cut()
        return False

    def close_line(self) -> bool:
        """The line between command and studio breaks for good; a studio that is started anew is found."""
        self._line.close()
        self._await_stop(self._pid)
        self.studio.stop()
        self._restart()
        return True

    def press_stop(self) -> bool:
        """Somebody presses STOP; a page that only watches may."""
        answer = self._visitor.ask("POST", "/stop", origin=self.studio.origin)
        assert answer.status == 204, answer
        return True

    def _restart(self) -> None:
        self._page.cut()
        self._line.close()
        # The commands find no studio until the new one says where it is, and then find the line to it.
        self._address_file.unlink()
        self.studio.start()
        self._line = self._new_line()
        self._visitor = RawClient(self.studio).enter()
        if self._run and self._run not in self.studio.runs():
            self.unsafe.append("the new studio does not know the run")


KINDS: dict[str, Callable[[Bench], bool]] = {
    each.__name__: each
    for each in (
        Bench.close_page,
        Bench.kill_browser,
        Bench.sleep,
        Bench.reload,
        Bench.watch,
        Bench.take_over,
        Bench.take_over_and_close,
        Bench.kill_studio,
        Bench.freeze_studio,
        Bench.kill_command,
        Bench.cut_line,
        Bench.close_line,
        Bench.press_stop,
    )
}


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
