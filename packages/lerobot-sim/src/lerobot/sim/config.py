"""Configuration of the virtual arm, its cameras, its operators and its environments."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from lerobot.core.config.base import CameraConfig, ConfigModel, EnvConfig, RobotConfig, TeleoperatorConfig

TaskName = Literal["reach", "reach_red", "reach_blue", "push", "lift", "place", "stack"]
"""What there is to do on the table."""

View = Literal["front", "side", "top", "wrist"]
"""Where a camera stands: opposite the arm, at its right side, above the table, on the gripper."""

Renderer = Literal["auto", "egl", "osmesa", "painter", "rays"]
"""How pictures are made; `auto` takes EGL where a graphics card draws, else the painter, which needs nothing."""


class RandomizationConfig(ConfigModel):
    """How much the scene differs from episode to episode; every spread counts times `strength`."""

    strength: float = Field(default=0.0, ge=0, le=5, description="0: the scene as it was made; 1: the spreads below.")
    seed: int = Field(default=0, ge=0, description="Number that decides, with the episode's own, what is drawn.")
    fixed: bool = Field(
        default=False, description="Draw once: another arm at another table, the same in every episode."
    )
    light: float = Field(default=0.25, ge=0, description="Part by which the light is brighter or darker.")
    light_deg: float = Field(default=30.0, ge=0, description="How far the light is turned round the table, deg.")
    colours: float = Field(default=0.12, ge=0, description="How far the table's and the arm's colours go, of 1.")
    pattern: float = Field(default=0.12, ge=0, description="Largest contrast of the table's pattern, of 1.")
    camera_m: float = Field(default=0.01, ge=0, description="How far a camera stands from its place, m per axis.")
    camera_deg: float = Field(default=2.0, ge=0, description="How far it is turned, deg per axis.")
    mass: float = Field(default=0.3, ge=0, description="Part by which objects are lighter or heavier.")
    friction: float = Field(default=0.2, ge=0, description="Part by which surfaces are smoother or rougher.")
    servo: float = Field(default=0.1, ge=0, description="Part by which servos are softer or stiffer.")
    joint_friction: float = Field(default=0.5, ge=0, description="Part by which joints run easier or harder.")
    latency_s: float = Field(default=0.02, ge=0, description="Longest time that is added to the latency, s.")
    joint_noise_deg: float = Field(default=0.2, ge=0, description="Largest standard deviation of a joint's reading.")
    picture_noise: float = Field(default=4.0, ge=0, description="Largest standard deviation of a pixel, of 255.")


class SimSO101Config(RobotConfig):
    """A simulated SO-101 on a table: the follower's features, units, limits and timing, without hardware."""

    target = "lerobot.sim.robot:SimSO101"

    type: str = "sim_so101"
    task: TaskName = Field(default="lift", description="What is on the table.")
    seed: int = Field(default=0, ge=0, description="Number that decides, with the episode's, where objects start.")
    episode: int = Field(default=0, ge=0, description="Number of the episode that is on the table at the start.")
    cameras: dict[str, CameraConfig] = Field(
        default_factory=dict, description="Cameras by name; type 'sim' looks at the simulated table."
    )
    renderer: Renderer = Field(default="auto", description="How the pictures of its 'sim' cameras are made.")
    use_degrees: bool = Field(default=True, description="Joints in degrees; false gives -100 to 100.")
    max_relative_target: float | dict[str, float] | None = Field(
        default=None,
        description="Farthest target from the present position, in each joint's unit: one number, or one per joint.",
    )
    disable_torque_on_disconnect: bool = Field(default=True, description="Switch the servos off when disconnecting.")
    latency_s: float = Field(default=0.01, ge=0, le=1, description="Seconds from a command to the servos' reaction.")
    randomization: RandomizationConfig = Field(
        default_factory=RandomizationConfig, description="How much the scene differs from episode to episode."
    )
    realtime: bool = Field(
        default=True,
        description="Run by the wall clock; false advances by one period with every command, as fast as possible.",
    )
    control_hz: float = Field(default=30.0, gt=0, le=600, description="Commands per second when not in real time.")


class SimCameraConfig(CameraConfig):
    """A camera that looks at the table of a simulated robot."""

    target = "lerobot.sim.camera:SimCamera"

    type: str = "sim"
    fps: float = Field(default=30.0, gt=0, le=600, description="Frames per second.")
    width: int = Field(default=320, ge=16, le=1920, description="Picture width in pixels.")
    height: int = Field(default=240, ge=16, le=1080, description="Picture height in pixels.")
    view: View | None = Field(
        default=None, description="Where it stands: front, side, top or wrist; default: its name in the robot."
    )
    robot_id: str | None = Field(default=None, description="Id of the robot whose table it looks at, if several run.")


class ScriptedConfig(TeleoperatorConfig):
    """An expert that solves the task of a running sim_so101 by itself."""

    target = "lerobot.sim.scripted:ScriptedTeleoperator"

    type: str = "scripted"
    robot_id: str | None = Field(default=None, description="Id of the robot to drive, if several run.")
    noise_deg: float = Field(default=0.0, ge=0, le=10, description="Unsteadiness: standard deviation in degrees.")
    hesitation_s: float = Field(default=0.0, ge=0, description="Mean length of the pauses between motions, seconds.")
    failure_rate: float = Field(default=0.0, ge=0, le=1, description="Part of the episodes that fail on purpose.")
    use_degrees: bool = Field(default=True, description="Joints in degrees, as the robot's.")


class SimLeaderConfig(TeleoperatorConfig):
    """A leader arm whose handle follows a path: joint positions from a CSV file, or an expert's motion."""

    target = "lerobot.sim.leader:SimLeader"

    type: str = "sim_leader"
    path: Path | None = Field(
        default=None,
        description="CSV file with the columns 'time_s' and one per joint ('shoulder_pan.pos', ...), in robot units.",
    )
    task: TaskName = Field(default="lift", description="Without a file: the task whose solution the handle follows.")
    seed: int = Field(default=0, ge=0, description="Without a file: seed of the episode that is solved.")
    episode: int = Field(default=0, ge=0, description="Without a file: number of the episode that is solved.")
    repeat: bool = Field(default=True, description="Begin again at the end of the path; false holds its last pose.")


class SimEnvConfig(EnvConfig):
    """Reach, push, lift, place or stack with a simulated SO-101, in the units of the real arm."""

    target = "lerobot.sim.env:SimEnv"

    type: str = "sim"
    task: TaskName = Field(default="lift", description="What there is to do.")
    fps: int = Field(default=30, gt=0, le=600, description="Actions per second.")
    episode_length: int = Field(default=300, gt=0, description="Steps after which an episode is cut off.")
    cameras: tuple[View, ...] = Field(default=("front", "wrist"), description="Pictures in the observation, by name.")
    width: int = Field(default=320, ge=16, le=1920, description="Picture width in pixels.")
    height: int = Field(default=240, ge=16, le=1080, description="Picture height in pixels.")
    objects: bool = Field(
        default=False, description="Show where the objects are, as observation.environment_state, in metres."
    )
    reward: Literal["dense", "sparse"] = Field(
        default="dense", description="dense: from 0 to 1 on the way; sparse: 1 when solved, before that 0."
    )
    render_width: int | None = Field(
        default=None,
        ge=16,
        le=1920,
        description="Width of rendered pictures, as in videos; default: the observation's.",
    )
    render_height: int | None = Field(default=None, ge=16, le=1080, description="Their height, likewise.")
    renderer: Renderer = Field(default="auto", description="How pictures are made.")
    use_degrees: bool = Field(default=True, description="Joints in degrees; false gives -100 to 100.")
    latency_s: float = Field(default=0.01, ge=0, le=1, description="Seconds from a command to the servos' reaction.")
    randomization: RandomizationConfig = Field(
        default_factory=RandomizationConfig, description="How much the scene differs from episode to episode."
    )

    @model_validator(mode="after")
    def _cameras_are_distinct(self) -> Self:
        if len(set(self.cameras)) != len(self.cameras):
            raise ValueError(f"each camera once, got {', '.join(self.cameras)}")
        return self
