"""How often a policy succeeds: what `lerobot eval` counts, where the run acts."""

from pathlib import Path

from lerobot.core.json_file import read_json
from lerobot.core.protocols.robot import HasFixedRate
from lerobot.envs.command import REPORT, eval_command
from lerobot.envs.commands.eval import EpisodesConfig, EvalPipelineConfig
from lerobot.envs.journal import NAME
from lerobot.policies.config import PreTrainedConfig
from lerobot.rl.commands.finetune import FinetuneConfig
from lerobot.rl.devices import DEFAULT_FPS


def judged(config: FinetuneConfig, policy: PreTrainedConfig, folder: Path) -> tuple[int, int] | int:
    """Play and judge episodes, or those that are missing.

    Args:
        config: of the run.
        policy: with its weights.
        folder: of the judgement; what it has already is not played again.

    Returns:
        Successes and episodes; the exit code alone where a signal or a person ended it.

    Raises:
        LeRobotError: see `lerobot.envs.command.eval_command`.
    """
    if not (folder / REPORT).exists() and (code := eval_command(evaluation(config, policy, folder))):
        return code
    if not (folder / REPORT).exists():
        return 1
    overall = read_json(folder / REPORT)["overall"]
    if overall["n"] < config.eval_episodes:
        # A person ended it: what was judged is kept, and the rest is played when the run goes on.
        (folder / REPORT).unlink()
        return 1
    return int(overall["n_success"]), int(overall["n"])


def evaluation(config: FinetuneConfig, policy: PreTrainedConfig, folder: Path) -> EvalPipelineConfig:
    """The configuration of `lerobot eval` that judges a policy of a run."""
    shared = {
        "policy": policy,
        "rename_map": config.rename_map,
        "output_dir": folder,
        "resume": (folder / NAME).exists(),
    }
    if config.robot is None:
        played = EpisodesConfig(n_episodes=config.eval_episodes, batch_size=1, use_async_envs=False, n_videos=0)
        return EvalPipelineConfig(env=config.env, eval=played, seed=config.seed, **shared)
    limits = EpisodesConfig(
        n_episodes=config.eval_episodes, episode_time_s=config.episode_time_s, reset_time_s=config.reset_time_s
    )
    return EvalPipelineConfig(
        robot=config.robot,
        detector=config.detector,
        teleop=config.teleop,
        fps=rate(config),
        task=config.task,
        safety=config.safety,
        control_file=config.control_file,
        play_sounds=config.play_sounds,
        eval=limits,
        **shared,
    )


def rate(config: FinetuneConfig) -> float:
    """Actions per second: as given, the robot's own, or `DEFAULT_FPS`."""
    if config.fps is not None or config.robot is None:
        return config.fps or DEFAULT_FPS
    robot = config.robot.build()
    return robot.control_hz if isinstance(robot, HasFixedRate) else DEFAULT_FPS
