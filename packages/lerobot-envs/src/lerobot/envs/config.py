"""Configuration of evaluations, of environments that live on the Hub, and what benchmarks' configurations share."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import ConfigModel, EnvConfig, PathText, RobotConfig, TeleoperatorConfig


class EvalConfig(ConfigModel):
    """How an evaluation is run."""

    n_episodes: int = Field(default=50, gt=0, description="Episodes to play of every task.")
    batch_size: int = Field(
        default=0, ge=0, description="Environments side by side; 0: one per processor core. Does not change results."
    )
    use_async_envs: bool = Field(default=True, description="Give each environment a process of its own.")
    n_videos: int = Field(default=10, ge=0, description="Episodes of every task that are filmed, the first ones.")
    recording: Literal[False] = Field(default=False, description="Record episodes as a dataset: not supported.")
    recording_repo_id: str | None = Field(default=None, description="Belongs to recording.")
    recording_private: Literal[False] = Field(default=False, description="Belongs to recording.")


class BenchmarkEnvConfig(EnvConfig):
    """Fields of the field's benchmarks, as command lines and saved configurations of huggingface/lerobot give them."""

    features: dict[str, Any] = Field(
        default_factory=dict, description="Shapes a saved configuration declares; what the environment shows decides."
    )
    max_parallel_tasks: int = Field(
        default=1, ge=1, description="Tasks played at a time, in batch_size environments each."
    )


class HubEnvConfig(EnvConfig):
    """An environment whose code is downloaded: a repository with a Python file that defines `make_env`."""

    target: ClassVar[str] = "lerobot.envs.hub:load_hub_env"

    type: str = "hub"
    hub_path: PathText = Field(
        description="'owner/name', with '@revision' and ':file.py' (default env.py), or a folder."
    )


class EnvRobotConfig(RobotConfig):
    """An environment in place of a robot: every command that drives one plays in it, and records what happens."""

    target: ClassVar[str] = "lerobot.envs.robot:EnvRobot"

    type: str = "env"
    env: EnvConfig = Field(description="Environment of one task; its fields as --robot.env.task=...")
    seed: int = Field(
        default=100_000,
        ge=0,
        description="Episode k starts from seed + k; the default gives none that lerobot eval plays by itself.",
    )
    realtime: bool = Field(default=True, description="Keep real time; false goes as fast as can be computed.")


class ExpertConfig(TeleoperatorConfig):
    """Fields of scripted experts that play in the environment of a robot of type `env`."""

    robot_id: str | None = Field(
        default=None, description="Id of the robot whose environment it plays in; default: the only one."
    )
