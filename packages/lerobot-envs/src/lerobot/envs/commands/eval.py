"""Configuration of `lerobot eval`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.commands.display import DisplayOptions
from lerobot.core.commands.earlier_flags import DEVICES
from lerobot.core.config.base import CommandConfig, EnvConfig, PolicyConfig, RobotConfig
from lerobot.core.config.judges import SuccessDetectorConfig
from lerobot.core.config.policies import require_trained
from lerobot.envs.config import EvalConfig
from lerobot.jobs.config import ExecutorConfig
from lerobot.rollout.commands.acting import ActingOptions

ONLY_IN_ENVIRONMENTS = (
    "seed",
    "trust_remote_code",
    "compare",
    "executor",
    "eval.batch_size",
    "eval.use_async_envs",
    "eval.n_videos",
    "eval.seeds",
    "eval.shard_episodes",
)
ONLY_ON_ROBOTS = (
    *ActingOptions.model_fields,
    *DisplayOptions.model_fields,
    "detector",
    "eval.episode_time_s",
    "eval.reset_time_s",
)
"""Flags that the other kind of evaluation has no use for."""


MOST_SEEDS = 4000
"""Environments take 32 bits; see `lerobot.envs.sweep.SEED_STRIDE`."""


class EpisodesConfig(EvalConfig):
    """How an evaluation is run, in an environment or on a robot."""

    seeds: list[Annotated[int, Field(ge=0, lt=MOST_SEEDS)]] = Field(
        default=[],
        description="In an environment: play n_episodes from each, in place of --seed; episode k of seed s starts from "
        "1000000 s + k, so that seeds share no episode.",
    )
    shard_episodes: int = Field(
        default=10, ge=1, description="With --executor: episodes of a task that a worker plays at a time."
    )
    episode_time_s: float = Field(
        default=60.0, gt=0, description="On a robot: seconds after which an episode ends. Of environments: see --env."
    )
    reset_time_s: float = Field(
        default=60.0, ge=0, description="On a robot: seconds between episodes to reset the scene; n ends them earlier."
    )


class EvalPipelineConfig(ActingOptions, DisplayOptions, CommandConfig):
    """Evaluate a policy in simulation, or on a robot.

    With --env the policy plays episodes that depend on their seed alone: how many are played side by side, by how many
    workers and by which engine changes none of them. With --robot it drives the robot through the
    control loop and the safety gate of `lerobot rollout`. An episode is a reset, until --eval.reset_time_s is over or n
    is pressed, and then the policy, until somebody says how it went or --eval.episode_time_s is over; then the question
    is asked until it is answered. Between episodes the robot goes back to its start, or --teleop drives it.

    Keys on a robot, in a terminal or over SSH: s success, f failure, u nobody can tell (counts as no success, and is
    reported), right or n ends the episode or the reset, left or r plays the episode again, q or Esc stops. Until the
    next episode begins another s, f or u corrects the one before. Without a terminal write `success`, `failure`,
    `unknown`, `next`, `redo` or `stop` to --control_file, or let --detector.type tell.

    Every episode is on the disk when it is judged: after Ctrl-C, or an arm that failed, the same command with
    --output_dir=FOLDER and --resume=true goes on.
    """

    target: ClassVar[str] = "lerobot.envs.command:eval_command"
    preflight: ClassVar[str] = "lerobot.envs.trials.wishes:require_judge"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot eval --policy.path=outputs/train/act/checkpoints/last/pretrained_model --env.type=sim",
        "lerobot eval --policy.path=owner/name --env.type=sim --env.task=push --eval.batch_size=4",
        "lerobot eval --policy.path=outputs/train/act/checkpoints/last --compare='[{path: outputs/train/diffusion/"
        "checkpoints/last}]' --env.type=sim --eval.seeds=[0,1,2] --executor.type=local",
        "lerobot eval --policy.path=outputs/train/act/checkpoints/last/pretrained_model --robot.type=so101_follower "
        "--robot.port=/dev/ttyACM0 --robot.cameras='{front: {type: opencv, index_or_path: 0, width: 640, height: 480, "
        "fps: 30}}' --eval.n_episodes=20 --eval.episode_time_s=20 --eval.reset_time_s=30",
        "lerobot eval --policy.path=outputs/train/act/checkpoints/last/pretrained_model --robot.type=sim_so101 "
        "--robot.task=reach --detector.type=scene --eval.n_episodes=20 --eval.episode_time_s=5",
    )
    earlier_flags: ClassVar[Mapping[str, str]] = {
        **DEVICES,
        "device": "policy.device",
        "eval.max_steps": "env.episode_length",
    }

    policy: PolicyConfig = Field(description="Policy to evaluate; --policy.path=FOLDER loads a trained one.")
    env: EnvConfig | None = Field(default=None, description="Environment to evaluate in; or --robot.")
    robot: RobotConfig | None = Field(default=None, description="Robot to evaluate on; or --env.")
    compare: list[PolicyConfig] = Field(
        default=[],
        description="Further policies to evaluate and to set beside --policy in a table and a plot: [{path: FOLDER}].",
    )
    executor: ExecutorConfig | None = Field(
        default=None, description="Engine that plays the episodes of --env: local, ray, slurm; null: this process."
    )
    detector: SuccessDetectorConfig | None = Field(
        default=None, description="Who tells on a robot that the task is solved; null: a person."
    )
    eval: EpisodesConfig = Field(
        default_factory=EpisodesConfig, description="How many episodes, and how they are played."
    )
    output_dir: Path | None = Field(
        default=None, description="Folder of the report and videos; default: outputs/eval/<date>/<time>_<job_name>."
    )
    job_name: str | None = Field(default=None, description="Name of this run; default: <env or robot>_<policy>.")
    resume: bool = Field(
        default=False, description="Go on with the evaluation in output_dir: episodes that ended are not played again."
    )
    seed: int = Field(default=1000, ge=0, description="In an environment: episode k starts from seed + k.")
    rename_map: dict[str, str] = Field(
        default_factory=dict, description="Name of an observation in the environment or robot: its name in the policy."
    )
    trust_remote_code: bool = Field(default=False, description="Run code downloaded with an environment.")

    @model_validator(mode="after")
    def _resumes_something(self) -> Self:
        if self.resume and self.output_dir is None:
            raise ValueError("the folder to go on in: --output_dir=FOLDER beside --resume=true")
        return self

    @model_validator(mode="after")
    def _seeds_are_given_once(self) -> Self:
        seeds = self.eval.seeds
        if len(set(seeds)) < len(seeds):
            raise PydanticCustomError("eval_seeds", "each of --eval.seeds once: {seeds}", {"seeds": seeds})
        if seeds and self.seed != type(self).model_fields["seed"].default:
            raise PydanticCustomError("eval_seed", "--seed or --eval.seeds: one of them")
        return self

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        """In an environment or on a robot, and with the flags of that one only."""
        if (self.env is None) == (self.robot is None):
            raise PydanticCustomError("eval_place", "--env.type=NAME, or --robot.type=NAME: one of them")
        foreign, place = (ONLY_ON_ROBOTS, "robot") if self.robot is None else (ONLY_IN_ENVIRONMENTS, "env")
        for path in foreign:
            section, _, name = path.rpartition(".")
            config = self.eval if section else self
            default = type(config).model_fields[name].get_default(call_default_factory=True)
            if getattr(config, name) != default:
                raise PydanticCustomError(
                    "eval_foreign", "no --{flag}, which belongs to --{place}", {"flag": path, "place": place}
                )
        if self.robot is not None:
            require_trained(self.policy)
        return self
