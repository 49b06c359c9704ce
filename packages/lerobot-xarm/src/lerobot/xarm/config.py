"""Configuration of the xArm's task."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from lerobot.envs.config import BenchmarkEnvConfig, ExpertConfig

PREFIX = "gym_xarm/"
"""How gymnasium's name of the task begins."""


class XArmConfig(BenchmarkEnvConfig):
    """Lift a cube off a table with an xArm 7, seen from the side."""

    target: ClassVar[str] = "lerobot.xarm.making:make_xarm"

    type: str = "xarm"
    task: Literal["XarmLift-v0"] = Field(default="XarmLift-v0", description="What there is to do.")
    fps: Literal[15] = Field(default=15, description="Actions per second of the recordings.")
    episode_length: int = Field(default=200, gt=0, description="Steps after which an episode is cut off.")
    obs_type: Literal["pixels_agent_pos", "pixels", "state"] = Field(
        default="pixels_agent_pos", description="What is seen: a picture, the hand, or everything as 28 numbers."
    )
    reference: bool = Field(
        default=False,
        description="Be gym-xarm 0.1.1 in all it does, where the hand hardly moves and success cannot happen.",
    )
    render_mode: Literal["rgb_array"] = Field(
        default="rgb_array", description="Pictures as arrays; there is no window."
    )
    visualization_width: int = Field(default=384, ge=16, description="Width of a video in pixels.")
    visualization_height: int = Field(default=384, ge=16, description="Height of a video in pixels.")
    observation_width: int = Field(default=84, ge=16, description="Width of the observed picture in pixels.")
    observation_height: int = Field(default=84, ge=16, description="Height of the observed picture in pixels.")
    features_map: dict[str, str] = Field(
        default_factory=lambda: {
            "action": "action",
            "agent_pos": "observation.state",
            "pixels": "observation.image",
        },
        description="Name of a part of the observation by its path.",
    )

    @field_validator("task", mode="before")
    @classmethod
    def _without_prefix(cls, task: object) -> object:
        return task.removeprefix(PREFIX) if isinstance(task, str) else task

    def caveats(self) -> tuple[str, ...]:
        """See `EnvConfig.caveats`."""
        if self.reference:
            return ("--env.reference=true: as in gym-xarm 0.1.1 the cube cannot be lifted high enough to count",)
        return ("published rates of xarm_lift were measured in another simulation and are not comparable",)


class XArmExpertConfig(ExpertConfig):
    """Lifts the cube, in place of a person."""

    target: ClassVar[str] = "lerobot.xarm.expert:XArmExpert"

    type: str = "xarm_expert"
