"""Configuration of LIBERO."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from lerobot.core.config.base import ProcessorStepConfig
from lerobot.envs.config import BenchmarkEnvConfig
from lerobot.envs.suites import chosen
from lerobot.libero.suites import SUITES

CAMERAS = {"agentview_image": "image", "robot0_eye_in_hand_image": "image2"}
"""Names of the pictures of LIBERO's datasets, by the camera that sees them."""

PHYSICS_HZ = 500
"""Physics steps per second, as robosuite has them."""


class LiberoConfig(BenchmarkEnvConfig):
    """Do what is asked in words, with a Panda arm on a table, in a kitchen, a living room or a study."""

    target: ClassVar[str] = "lerobot.libero.making:make_libero"

    type: str = "libero"
    task: str = Field(
        default="libero_10", description=f"Suites, with commas between them: {', '.join(SUITES)}; see task_ids."
    )
    task_ids: list[int] | None = Field(default=None, description="Numbers of tasks in each suite; default: all.")
    fps: int = Field(default=20, gt=0, description="Actions per second; a divisor of 500.")
    episode_length: int | None = Field(
        default=None, gt=0, description="Steps after which an episode is cut off; default: those of the suite."
    )
    obs_type: Literal["pixels_agent_pos", "pixels"] = Field(
        default="pixels_agent_pos", description="What is seen: the pictures and the arm, or the pictures alone."
    )
    render_mode: Literal["rgb_array"] = Field(
        default="rgb_array", description="Pictures as arrays; there is no window."
    )
    camera_name: str = Field(
        default=",".join(CAMERAS), description="Cameras, with commas between them; a film shows the first."
    )
    camera_name_mapping: dict[str, str] | None = Field(
        default=None, description=f"Names of their pictures; default: {', '.join(CAMERAS.values())}."
    )
    observation_height: int = Field(default=360, ge=16, le=2048, description="Height of a picture in pixels.")
    observation_width: int = Field(default=360, ge=16, le=2048, description="Width of a picture in pixels.")
    init_states: bool = Field(
        default=True, description="Start from the benchmark's 50 starts of a task; false: places drawn from the seed."
    )
    hard_reset: bool = Field(
        default=True, description="Build the scene anew for every episode; false: put it back, which takes less time."
    )
    control_mode: Literal["relative", "absolute"] = Field(
        default="relative", description="Actions move the hand by so much, or say where it shall be."
    )
    turns: Literal["axis_angle", "columns"] = Field(
        default="axis_angle",
        description="How turns of the hand are told: axis times angle, as in LIBERO's datasets; or two columns of its "
        "matrix, as to X-VLA, with the wrist's picture as it comes.",
    )
    is_libero_plus: bool = Field(default=False, description="The variations of LIBERO-plus, which are not here.")
    quality: Literal["full", "fast"] = Field(
        default="full",
        description="full: the benchmark's own pictures; fast: no shadows, hard edges, several times faster on a CPU.",
    )
    assets: Path | None = Field(
        default=None,
        description="Folder of LIBERO's meshes and pictures; default: $LEROBOT_LIBERO_ASSETS, else from the Hub.",
    )

    @field_validator("task")
    @classmethod
    def _suites_exist(cls, task: str) -> str:
        return ",".join(chosen(task, SUITES, "suite"))

    @field_validator("is_libero_plus")
    @classmethod
    def _without_variations(cls, wanted: bool) -> bool:
        if wanted:
            raise ValueError("false: LIBERO-plus varies these tasks with scenes and a package of its own, not here yet")
        return wanted

    @field_validator("fps")
    @classmethod
    def _a_step_is_whole_physics_steps(cls, fps: int) -> int:
        if PHYSICS_HZ % fps:
            raise ValueError(f"a divisor of {PHYSICS_HZ}, the physics steps per second")
        return fps

    @field_validator("camera_name")
    @classmethod
    def _there_are_cameras(cls, names: str) -> str:
        cameras = [name.strip() for name in names.split(",") if name.strip()]
        if not cameras:
            raise ValueError("a camera, or several with commas between them")
        return ",".join(dict.fromkeys(cameras))

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.turns == "columns" and self.control_mode != "absolute":
            raise ValueError("control_mode=absolute beside turns=columns: they say where the hand shall be")
        if not self.hard_reset and not self.init_states:
            raise ValueError(
                "init_states=true beside hard_reset=false: a scene is put back to a start of the benchmark"
            )
        for suite in self.task.split(","):
            for number in self.task_ids or ():
                if not 0 <= number < SUITES[suite].tasks:
                    raise ValueError(f"task_ids from 0 to {SUITES[suite].tasks - 1} for {suite}, not {number}")
        if self.task_ids == []:
            raise ValueError("at least one number in task_ids, or none at all for every task")
        return self

    @property
    def pictures(self) -> dict[str, str]:
        """Names of the pictures by the camera of the simulation that sees each, the film's first."""
        names = {**CAMERAS, **(self.camera_name_mapping or {})}
        return {name.removesuffix("_image"): names.get(name, name) for name in self.camera_name.split(",")}

    def tasks(self) -> "Mapping[str, Mapping[int, LiberoConfig]]":
        """See `EnvConfig.tasks`."""

        def one(suite: str, number: int) -> "LiberoConfig":
            return self.model_copy(update={"task": suite, "task_ids": [number], "max_parallel_tasks": 1})

        suites = self.task.split(",")
        numbers = {suite: self.task_ids or range(SUITES[suite].tasks) for suite in suites}
        return {suite: {number: one(suite, number) for number in numbers[suite]} for suite in suites}

    def caveats(self) -> list[str]:
        """See `EnvConfig.caveats`."""
        found = []
        if self.quality == "fast":
            found.append("pictures without shadows and smoothed edges: the score is not the benchmark's")
        if not self.init_states:
            found.append("episodes start from drawn places: the score is not that of the benchmark's starts")
        if self.fps != 20:
            found.append(f"{self.fps} actions per second: the benchmark has 20")
        return found


class LiberoProcessorConfig(ProcessorStepConfig):
    """Lays observations of LIBERO's own environment out for policies."""

    target: ClassVar[str] = "lerobot.libero.processor:LiberoProcessorStep"

    type: str = "libero_processor"
