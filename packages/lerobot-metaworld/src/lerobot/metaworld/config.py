"""Configuration of Meta-World's tasks."""

import logging
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from lerobot.core.config.base import NoEffect
from lerobot.envs.config import BenchmarkEnvConfig, ExpertConfig
from lerobot.envs.suites import chosen
from lerobot.metaworld.tasks import DESCRIPTIONS, GROUPS

logger = logging.getLogger(__name__)

PREFIX = "metaworld-"
"""What huggingface/lerobot puts before names of tasks."""

LONGEST = 500
"""Steps of the benchmark's episodes; its tasks do not go on after them."""


class MetaworldConfig(BenchmarkEnvConfig):
    """Fifty tasks at a table, one arm with a gripper, moved in x, y and z."""

    target: ClassVar[str] = "lerobot.metaworld.making:make_metaworld"

    type: str = "metaworld"
    task: str = Field(
        default="push-v3",
        description="A task such as reach-v3, a group (easy, medium, hard, very_hard), or several with commas.",
    )
    fps: Literal[80] = Field(default=80, description="Actions per second, the benchmark's.")
    episode_length: int = Field(
        default=LONGEST, gt=0, le=LONGEST, description="Steps after which an episode is cut off."
    )
    obs_type: Literal["pixels_agent_pos", "pixels", "environment_state_agent_pos"] = Field(
        default="pixels_agent_pos",
        description="What is seen: a picture, the hand, or the benchmark's own 39 numbers with objects and goal.",
    )
    render_mode: Literal["rgb_array"] = Field(
        default="rgb_array", description="Pictures as arrays; there is no window."
    )
    camera_name: Literal["corner2", "corner", "corner3", "topview", "behindGripper", "gripperPOV"] = Field(
        default="corner2", description="Where the camera stands."
    )
    observation_height: int = Field(default=480, ge=16, description="Height of the picture in pixels.")
    observation_width: int = Field(default=480, ge=16, description="Width of the picture in pixels.")
    quality: Literal["full", "fast"] = Field(
        default="full",
        description="full: the benchmark's own pictures; fast: no shadows, hard edges, several times faster on a CPU.",
    )
    multitask_eval: Annotated[bool, NoEffect()] = Field(default=True, description="Set by saved configurations.")
    features_map: dict[str, str] = Field(
        default_factory=lambda: {
            "action": "action",
            "agent_pos": "observation.state",
            "environment_state": "observation.environment_state",
            "pixels": "observation.image",
        },
        description="Name of a part of the observation by its path.",
    )

    @field_validator("task")
    @classmethod
    def _as_the_benchmark_names_them(cls, text: str) -> str:
        return ",".join(chosen(",".join(map(_of_today, text.split(","))), [*GROUPS, *DESCRIPTIONS]))

    def tasks(self) -> Mapping[str, Mapping[int, "MetaworldConfig"]]:
        """See `EnvConfig.tasks`: a suite for every group and every single task that is named."""
        return {
            name: {
                number: self.model_copy(update={"task": task}) for number, task in enumerate(GROUPS.get(name, (name,)))
            }
            for name in self.task.split(",")
        }

    def caveats(self) -> tuple[str, ...]:
        """See `EnvConfig.caveats`."""
        if self.quality == "full":
            return ()
        return ("--env.quality=fast: pictures without shadows and smooth edges, which the benchmark's have",)


class MetaworldExpertConfig(ExpertConfig):
    """The benchmark's scripted solution of every task, in place of a person."""

    target: ClassVar[str] = "lerobot.metaworld.expert:MetaworldExpert"

    type: str = "metaworld_expert"


def _of_today(name: str) -> str:
    """A task's name as version 3 of the benchmark has it: without a prefix, and with its number."""
    short = name.strip().removeprefix(PREFIX)
    if short.endswith("-v2") and (today := f"{short.removesuffix('-v2')}-v3") in DESCRIPTIONS:
        logger.warning(
            "task %s is played as %s: the second version of the benchmark has no simulation here", name, today
        )
        return today
    return f"{short}-v3" if f"{short}-v3" in DESCRIPTIONS else short
