"""Learning from reward, by the algorithm of the policy."""

import logging
import math
from collections.abc import Iterable
from pathlib import Path
from typing import cast

from pydantic import TypeAdapter

from lerobot.core.errors import LeRobotError
from lerobot.core.signals import stop_signals
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import ACTION
from lerobot.rl.assembly import demonstrations, only
from lerobot.rl.commands.finetune import FinetuneConfig
from lerobot.rl.config import AlgorithmConfig, LearnsFromReward, OnlineConfig
from lerobot.rl.devices import Devices, make_devices
from lerobot.rl.finetune.collection import experience, trained_for
from lerobot.rl.learner import ALGORITHM, ReinforcementLearner
from lerobot.rl.replay.buffer import ReplayBuffer, ReplayMixture
from lerobot.rl.replay.recording import read_episodes
from lerobot.rl.transition import Episode
from lerobot.training.checkpoints import folder as checkpoints
from lerobot.training.checkpoints import random_state
from lerobot.training.checkpoints.layout import LAST, STATE, Progress
from lerobot.training.torch_settings import torch_settings

logger = logging.getLogger(__name__)


def learns_from_reward(config: FinetuneConfig) -> bool:
    """Whether a policy learns by an algorithm, and not by its own loss."""
    return config.algorithm is not None or isinstance(config.policy, LearnsFromReward)


def reinforce(config: FinetuneConfig, policy: PreTrainedConfig, folder: Path, run: Path) -> int | None:
    """Let a policy learn from all episodes, those that failed too.

    Args:
        config: of the run.
        policy: with the weights it begins from; what its algorithm had learned beside them is taken over if it is
            there.
        folder: of the run.
        run: folder of this training.

    Returns:
        The exit code; None if there is nothing to learn from.

    Raises:
        LeRobotError: recordings, policy and robot do not fit each other, or a loss is no number.
    """
    if (run / "checkpoints" / LAST).exists():
        return 0
    devices = make_devices(config)
    with torch_settings(deterministic=True), random_state.aside(config.seed):
        learner = _learner(config, policy, devices, folder)
        if not len(learner.replay):
            return None
        with stop_signals().graceful():
            code = _learn(learner, config.steps)
        if not code:
            settings = {"policy": learner.trained.policy.config.model_dump(mode="json")}
            target = run / "checkpoints" / checkpoints.checkpoint_name(config.steps, config.steps)
            target.parent.mkdir(parents=True, exist_ok=True)
            progress, generators = Progress(config.steps, 1, config.batch_size), [random_state.capture()]
            checkpoints.save(target, learner.checkpointed, learner.save_state, progress, generators, settings)
    return code


def _learner(config: FinetuneConfig, policy: PreTrainedConfig, devices: Devices, folder: Path) -> ReinforcementLearner:
    keys = {key for key in devices.features if key != ACTION}
    new = [experience(folder)]
    if config.new_episodes is not None:
        new.append(read_episodes(demonstrations(config.new_episodes)))
    old = [] if config.dataset is None else [read_episodes(demonstrations(config.dataset))]
    replay = ReplayMixture(_buffer(new, keys, config.seed), _buffer(old, keys, config.seed + 1), config.online_ratio)
    asked = config.algorithm
    if asked is None:
        preset = cast("LearnsFromReward", policy).algorithm_preset()
        asked = TypeAdapter(AlgorithmConfig).validate_python(dict(preset))
    algorithm = asked.build(trained=trained_for(config, policy, devices))
    learner = ReinforcementLearner(algorithm, replay, config.batch_size)
    beside = Path(policy.pretrained_path or "").parent
    if (beside / ALGORITHM).exists():
        learner.load_state(beside / STATE)
    else:
        logger.warning("%s has no %s: what it knows beside the policy begins anew", beside, ALGORITHM)
    return learner


def _buffer(sources: Iterable[Iterable[Episode]], keys: set[str], seed: int) -> ReplayBuffer:
    buffer = ReplayBuffer(OnlineConfig().capacity, seed=seed)
    for source in sources:
        for episode in source:
            buffer.add(only(episode, keys))
    return buffer


def _learn(learner: ReinforcementLearner, steps: int) -> int:
    signals, often = stop_signals(), max(1, steps // 10)
    for step in range(1, steps + 1):
        measured = {name: float(value) for name, value in learner.step().items()}
        if not all(map(math.isfinite, measured.values())):
            raise LeRobotError(
                f"after {step} updates the losses are {measured}",
                expected="numbers",
                hint="Lower the learning rates of --algorithm.",
            )
        if step % often == 0:
            logger.info("step %d  %s", step, "  ".join(f"{name} {value:.4g}" for name, value in measured.items()))
        if signals.stop_requested:
            return signals.exit_code
    return 0
