"""Configuration of PushT."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from lerobot.envs.config import BenchmarkEnvConfig

PHYSICS_HZ = 100
"""Physics steps per second, as gym-pusht has them."""


class PushTConfig(BenchmarkEnvConfig):
    """Push a T-shaped block onto its outline, seen from above."""

    target: ClassVar[str] = "lerobot.pusht.making:make_pusht"

    type: str = "pusht"
    task: Literal["PushT-v0"] = Field(default="PushT-v0", description="What there is to do.")
    fps: int = Field(default=10, gt=0, description="Actions per second; a divisor of 100.")
    episode_length: int = Field(default=300, gt=0, description="Steps after which an episode is cut off.")
    obs_type: Literal["pixels_agent_pos", "environment_state_agent_pos", "pixels", "state"] = Field(
        default="pixels_agent_pos",
        description="What is seen: a picture, the agent's place, the block's eight corners, or all as five numbers.",
    )
    render_mode: Literal["rgb_array"] = Field(
        default="rgb_array", description="Pictures as arrays; there is no window."
    )
    visualization_width: int = Field(default=384, ge=16, description="Width of a video in pixels.")
    visualization_height: int = Field(default=384, ge=16, description="Height of a video in pixels.")
    observation_width: int = Field(default=96, ge=16, description="Width of the observed picture in pixels.")
    observation_height: int = Field(default=96, ge=16, description="Height of the observed picture in pixels.")
    features_map: dict[str, str] = Field(
        default_factory=lambda: {
            "action": "action",
            "agent_pos": "observation.state",
            "environment_state": "observation.environment_state",
            "pixels": "observation.image",
        },
        description="Name of a part of the observation by its path.",
    )

    @field_validator("fps")
    @classmethod
    def _a_step_is_whole_physics_steps(cls, fps: int) -> int:
        if PHYSICS_HZ % fps:
            raise ValueError(f"a divisor of {PHYSICS_HZ}, the physics steps per second")
        return fps
