"""Configuration of the two tasks of ALOHA."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from lerobot.envs.config import BenchmarkEnvConfig

PHYSICS_HZ = 500
"""Physics steps per second, as gym-aloha has them."""


class AlohaConfig(BenchmarkEnvConfig):
    """Insert a peg into a socket, or hand a cube over, with two arms seen from above."""

    target: ClassVar[str] = "lerobot.aloha.making:make_aloha"

    type: str = "aloha"
    task: Literal["AlohaInsertion-v0", "AlohaTransferCube-v0"] = Field(
        default="AlohaInsertion-v0", description="What there is to do."
    )
    fps: int = Field(default=50, gt=0, description="Actions per second; a divisor of 500.")
    episode_length: int = Field(default=400, gt=0, description="Steps after which an episode is cut off.")
    obs_type: Literal["pixels_agent_pos", "pixels"] = Field(
        default="pixels_agent_pos", description="What is seen: the picture and the joints, or the picture alone."
    )
    render_mode: Literal["rgb_array"] = Field(
        default="rgb_array", description="Pictures as arrays; there is no window."
    )
    observation_height: int = Field(default=480, ge=16, le=480, description="Height of the picture in pixels.")
    observation_width: int = Field(default=640, ge=16, le=640, description="Width of the picture in pixels.")
    quality: Literal["full", "fast"] = Field(
        default="full",
        description="full: the benchmark's own pictures; fast: no shadows, hard edges, several times faster on a CPU.",
    )
    features_map: dict[str, str] = Field(
        default_factory=lambda: {
            "action": "action",
            "agent_pos": "observation.state",
            "top": "observation.image.top",
            "pixels/top": "observation.images.top",
        },
        description="Name of a part of the observation by its path.",
    )

    @field_validator("fps")
    @classmethod
    def _a_step_is_whole_physics_steps(cls, fps: int) -> int:
        if PHYSICS_HZ % fps:
            raise ValueError(f"a divisor of {PHYSICS_HZ}, the physics steps per second")
        return fps
