"""Holds a robot while something else is done: between episodes, while the policy learns or the learner is gone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lerobot.core.clock import MonotonicClock, clock_of
from lerobot.core.control.loop import ControlLoop
from lerobot.core.errors import LeRobotError
from lerobot.core.protocols.robot import Robot
from lerobot.core.safety import SafetyGate
from lerobot.core.tick import Tick
from lerobot.core.types import Action, Observation


class _Stillness:
    """A source that wants what the gate held first; it is the loop's sink too."""

    def __init__(self) -> None:
        self._held: Action = {}

    def next_action(self, _observation: Observation, _tick: int, /) -> Action:
        """See `CommandSource.next_action`; at first nothing, for which the gate says how the robot is held."""
        return dict(self._held)

    def write(self, tick: Tick) -> None:
        """See `Sink.write`."""
        self._held = self._held or dict(tick.gated)


@contextmanager
def holding(robot: Robot, gate: SafetyGate, fps: float) -> Iterator[None]:
    """Command a robot to stay where it is, from another thread, until the block ends.

    A robot behind a wire, or with a watchdog of its own, goes to its safe state when commands stop coming. One that
    lives in no real time waits by itself.

    Args:
        robot: connected; nobody else uses it in the block.
        gate: its safety gate; engaged anew.
        fps: commands per second.

    Raises:
        DeviceError: the robot failed meanwhile.
        SafetyError: the gate stopped it.
    """
    if not isinstance(clock_of(robot), MonotonicClock):
        yield
        return
    over, failed, still = threading.Event(), list[LeRobotError](), _Stillness()
    loop = ControlLoop(robot, still, gate, fps=fps, sinks=[still])

    def hold() -> None:
        try:
            loop.run(stop=over)
        except LeRobotError as error:
            failed.append(error)

    thread = threading.Thread(target=hold, name="hold")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if failed:
        raise failed[0]
