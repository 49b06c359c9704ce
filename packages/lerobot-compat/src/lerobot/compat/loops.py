"""The loops that programs for huggingface/lerobot call with devices of their own."""

from collections.abc import Callable, Iterator
from typing import Any

from lerobot.compat.display import log_rerun_data
from lerobot.compat.gated import driver_of
from lerobot.compat.pipelines import make_default_processors
from lerobot.core.clock import MonotonicClock
from lerobot.core.processors.dataset_features import build_dataset_frame
from lerobot.core.types import Action, Observation

Pipeline = Callable[[Any], Any]


def _ticks(fps: float, duration_s: float | None) -> Iterator[None]:
    """Turns at a fixed rate, to absolute deadlines."""
    clock = MonotonicClock()
    begin = clock.now()
    turn = 0
    while duration_s is None or turn / fps < duration_s:
        yield
        turn = max(turn + 1, int((clock.now() - begin) * fps))
        clock.sleep_until(begin + turn / fps)


def record_loop(
    robot: Any,
    events: dict[str, bool],
    fps: int,
    teleop_action_processor: Pipeline | None = None,
    robot_action_processor: Pipeline | None = None,
    robot_observation_processor: Pipeline | None = None,
    dataset: Any = None,
    teleop: Any = None,
    control_time_s: float | None = None,
    single_task: str | None = None,
    display_data: bool = False,
    display_mode: str = "rerun",  # noqa: ARG001 # see below
    display_compressed_images: bool = False,  # noqa: ARG001
) -> None:
    """Let a teleoperator drive a robot for an episode, and add its frames to a dataset.

    The stored action is what the robot was sent, where the dataset's action is the robot's; else what came out of
    `teleop_action_processor`.

    Args:
        robot: connected robot.
        events: see `init_keyboard_listener`; `exit_early` ends the episode.
        fps: frames per second.
        teleop_action_processor: from the teleoperator's action to the dataset's; takes `(action, observation)`.
        robot_action_processor: from the dataset's action to the robot's; takes `(action, observation)`.
        robot_observation_processor: from the robot's observation to the dataset's.
        dataset: gets the frames; None only drives.
        teleop: connected teleoperator; without one the robot is only measured.
        control_time_s: longest duration, seconds.
        single_task: instruction in words.
        display_data: show it in the viewer that `init_rerun` opened.
        display_mode: accepted where it is rerun, the one viewer.
        display_compressed_images: accepted, and not needed.

    Raises:
        ValueError: the dataset has another rate.
        SafetyError: the safety gate cannot guarantee its limits.
    """
    if dataset is not None and dataset.fps != fps:
        raise ValueError(f"the dataset has {dataset.fps} frames per second, the loop {fps}")
    from_teleop, to_robot, from_robot = make_default_processors()
    turn = _Turn(
        robot,
        teleop,
        teleop_action_processor or from_teleop,
        robot_action_processor or to_robot,
        robot_observation_processor or from_robot,
    )
    for _ in _ticks(fps, control_time_s):
        if events["exit_early"]:
            events["exit_early"] = False
            return
        observation, action = turn.run()
        if dataset is not None and action is not None:
            frame = build_dataset_frame(dataset.features, observation, "observation")
            frame |= build_dataset_frame(dataset.features, action, "action")
            dataset.add_frame({**frame, "task": single_task or ""})
        if display_data:
            log_rerun_data(observation, action)


def teleop_loop(
    teleop: Any,
    robot: Any,
    fps: int,
    teleop_action_processor: Pipeline | None = None,
    robot_action_processor: Pipeline | None = None,
    robot_observation_processor: Pipeline | None = None,
    display_data: bool = False,
    display_mode: str = "rerun",
    duration: float | None = None,
    display_compressed_images: bool = False,
) -> None:
    """Let a teleoperator drive a robot; arguments are those of `record_loop`, with `duration` in seconds."""
    record_loop(
        robot,
        {"exit_early": False},
        fps,
        teleop_action_processor,
        robot_action_processor,
        robot_observation_processor,
        teleop=teleop,
        control_time_s=duration,
        display_data=display_data,
        display_mode=display_mode,
        display_compressed_images=display_compressed_images,
    )


class _Turn:
    """One turn of a loop: measure, ask, send."""

    def __init__(
        self, robot: Any, teleop: Any, from_teleop: Pipeline, to_robot: Pipeline, from_robot: Pipeline
    ) -> None:
        self._driver = driver_of(robot)
        self._teleop = teleop
        self._from_teleop, self._to_robot, self._from_robot = from_teleop, to_robot, from_robot

    def run(self) -> tuple[Observation, Action | None]:
        """What the dataset stores of it; no action without a teleoperator."""
        measured = self._driver.observe()
        observation = self._from_robot(measured)
        if self._teleop is None:
            return observation, None
        action = self._from_teleop((self._teleop.get_action(), measured))
        sent = self._driver.command(self._to_robot((action, measured)))
        return observation, {key: sent.get(key, value) for key, value in action.items()}
