"""Configuration of gym-hil's environments."""

from typing import ClassVar, Literal, get_args

from pydantic import Field, PositiveFloat, field_validator, model_validator

from lerobot.core.config.base import ConfigModel, TeleoperatorConfig
from lerobot.envs.config import BenchmarkEnvConfig
from lerobot.envs.suites import chosen

PREFIX = "gym_hil/"
"""How gymnasium's names of these tasks begin."""


TaskName = Literal[
    "PandaPickCube-v0",
    "PandaPickCubeBase-v0",
    "PandaPickCubeViewer-v0",
    "PandaPickCubeGamepad-v0",
    "PandaPickCubeKeyboard-v0",
    "PandaArrangeBoxes-v0",
    "PandaArrangeBoxesBase-v0",
    "PandaArrangeBoxesViewer-v0",
    "PandaArrangeBoxesGamepad-v0",
    "PandaArrangeBoxesKeyboard-v0",
]
"""gym-hil's tasks, without their prefix."""


class StepSizes(ConfigModel):
    """How far the hand goes in one step at an action of 1."""

    x: PositiveFloat = Field(default=0.025, description="Away from the base, in m.")
    y: PositiveFloat = Field(default=0.025, description="To the arm's left, in m.")
    z: PositiveFloat = Field(default=0.025, description="Up, in m.")


class GymHilConfig(BenchmarkEnvConfig):
    """A Franka Panda lifts a cube, or sorts boxes by colour; a person may take over."""

    target: ClassVar[str] = "lerobot.gym_hil.making:make_gym_hil"

    type: str = "gym_hil"
    task: str = Field(
        default="PandaPickCube-v0", description="What there is to do, and how; 'gym_hil/' before it is left out."
    )
    fps: Literal[10] = Field(default=10, description="Actions per second.")
    episode_length: int = Field(default=100, gt=0, description="Steps after which an episode is cut off.")
    obs_type: Literal["pixels_agent_pos", "environment_state_agent_pos"] = Field(
        default="pixels_agent_pos", description="What is seen beside the arm: two pictures, or where the block is."
    )
    render_mode: Literal["rgb_array"] = Field(default="rgb_array", description="Pictures as arrays.")
    observation_height: int = Field(default=128, ge=16, description="Height of the pictures in pixels.")
    observation_width: int = Field(default=128, ge=16, description="Width of the pictures in pixels.")
    quality: Literal["full", "fast"] = Field(
        default="full",
        description="full: the benchmark's own pictures; fast: no shadows, hard edges, several times faster on a CPU.",
    )
    reward_type: Literal["sparse", "dense"] = Field(
        default="sparse", description="1 when it is solved, or how near it is."
    )
    random_block_position: bool = Field(
        default=False, description="Start the cube anywhere, by the seed; gym-hil's cube starts at one place."
    )
    use_gripper: bool = Field(default=True, description="Whether an action of four has the gripper as its last.")
    gripper_penalty: float | None = Field(
        default=None, le=0, description="For opening a closed gripper or closing an open one; default: the task's own."
    )
    ee_step_size: StepSizes = Field(default_factory=StepSizes, description="How far the hand goes in a step.")
    viewer: bool | None = Field(default=None, description="Open a window; default: as the task's name says.")
    teleop: TeleoperatorConfig | None = Field(
        default=None, description="Who may take over; default: as the task's name says, a gamepad or the keyboard."
    )
    teleop_axes: tuple[str, str, str] | None = Field(
        default=None,
        description="Keys of the person's action that move the hand along x, y and z; '-' before one turns it round. "
        "Default: delta_x, delta_y, delta_z; for the keyboard -delta_y, delta_x, delta_z, so that up is away.",
    )
    features_map: dict[str, str] = Field(
        default_factory=lambda: {
            "action": "action",
            "agent_pos": "observation.state",
            "environment_state": "observation.environment_state",
            "pixels/front": "observation.images.front",
            "pixels/wrist": "observation.images.wrist",
        },
        description="Name of a part of the observation by its path.",
    )

    @field_validator("task", mode="before")
    @classmethod
    def _known(cls, task: object) -> object:
        return chosen(task.removeprefix(PREFIX), get_args(TaskName))[0] if isinstance(task, str) else task

    @model_validator(mode="after")
    def _a_person_gives_four_numbers(self) -> "GymHilConfig":
        if self.teleop is not None and not self.is_wrapped:
            raise ValueError(f"teleop: nobody takes over in {self.task}; choose {self.scene}-v0")
        return self

    @property
    def scene(self) -> str:
        """`PandaPickCube` or `PandaArrangeBoxes`."""
        return next(scene for scene in ("PandaPickCube", "PandaArrangeBoxes") if self.task.startswith(scene))

    @property
    def variant(self) -> str:
        """What stands between scene and version: nothing, `Base`, `Viewer`, `Gamepad` or `Keyboard`."""
        return self.task.removeprefix(self.scene).removesuffix("-v0")

    @property
    def is_wrapped(self) -> bool:
        """Whether an action is steps of the hand and a gripper, not gym-hil's seven numbers."""
        return self.variant not in {"Base", "Viewer"}

    @property
    def penalty(self) -> float:
        """The penalty of the gripper, as gym-hil registers its tasks unless it is given."""
        if self.gripper_penalty is not None:
            return self.gripper_penalty
        return -0.05 if self.variant == "Keyboard" or self.task == "PandaPickCube-v0" else -0.02

    @property
    def has_window(self) -> bool:
        """Whether a window is opened."""
        return self.variant in {"Viewer", "Gamepad", "Keyboard"} if self.viewer is None else self.viewer
