"""Configuration of `lerobot check`."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from lerobot.core.config.base import CommandConfig, ConfigModel, EnvConfig, PolicyConfig, RobotConfig


class DatasetSource(ConfigModel):
    """Which dataset."""

    repo_id: str = Field(description="Name of the dataset, 'owner/name'.")
    root: Path | None = Field(default=None, description="Its folder; default: below the LeRobot home.")


class CheckConfig(CommandConfig):
    """Check that a policy, a dataset, a robot and an environment fit each other, before anything runs."""

    target: ClassVar[str] = "lerobot.policies.preflight.command:check"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot check --policy.path=outputs/train/act/checkpoints/last --robot.type=so101_follower "
        "--robot.port=/dev/ttyACM0",
        "lerobot check --policy.path=exported --robot.type=so101_follower --robot.port=/dev/ttyACM0",
        "lerobot check --policy.type=act --dataset.repo_id=me/pick_cube --env.type=sim --env.task=lift",
    )

    policy: PolicyConfig | None = Field(default=None, description="Policy: saved or exported (path), or new (type).")
    dataset: DatasetSource | None = Field(default=None, description="Dataset it learns or learned from.")
    robot: RobotConfig | None = Field(default=None, description="Robot it is to drive; it is not connected.")
    env: EnvConfig | None = Field(default=None, description="Environment it is evaluated in; no episode is started.")
    rename_map: dict[str, str] = Field(
        default={}, description="The policy's observation keys by those of the dataset, robot and environment."
    )
