"""Configuration of `lerobot eval`."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator

from lerobot.core.config.base import CommandConfig, EnvConfig
from lerobot.envs.config import EvalConfig
from lerobot.policies.config import PreTrainedConfig


class EvalPipelineConfig(CommandConfig):
    """Evaluate a policy in simulation."""

    target: ClassVar[str] = "lerobot.envs.command:eval_command"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot eval --policy.path=outputs/train/act/checkpoints/last/pretrained_model --env.type=sim",
        "lerobot eval --policy.path=owner/name --env.type=sim --env.task=push --eval.batch_size=4",
    )
    earlier_flags: ClassVar[Mapping[str, str]] = {"device": "policy.device", "eval.max_steps": "env.episode_length"}
    refused_flags: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("robot.type", "robot_type"), "an environment, --env.type=NAME; on a robot: lerobot rollout --robot.type=NAME"
    )

    policy: PreTrainedConfig = Field(description="Policy to evaluate; --policy.path=FOLDER loads a trained one.")
    env: EnvConfig = Field(description="Environment to evaluate in.")
    eval: EvalConfig = Field(default_factory=EvalConfig, description="How many episodes, and how they are played.")
    output_dir: Path | None = Field(
        default=None, description="Folder of the report and videos; default: outputs/eval/<date>/<time>_<job_name>."
    )
    job_name: str | None = Field(default=None, description="Name of this run; default: <env>_<policy>.")
    resume: bool = Field(
        default=False, description="Go on with the evaluation in output_dir: episodes that ended are not played again."
    )
    seed: int = Field(default=1000, ge=0, description="Episode k starts from seed + k.")
    rename_map: dict[str, str] = Field(
        default_factory=dict, description="Name of an observation in the environment: its name in the policy."
    )
    trust_remote_code: bool = Field(default=False, description="Run code downloaded with an environment.")

    @model_validator(mode="after")
    def _resumes_something(self) -> Self:
        if self.resume and self.output_dir is None:
            raise ValueError("the folder to go on in: --output_dir=FOLDER beside --resume=true")
        return self
