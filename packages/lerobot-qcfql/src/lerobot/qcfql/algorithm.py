"""QC-FQL on the floor of reinforcement learning: its own losses, from what it does itself."""

import torch
from torch import Tensor, nn

from lerobot.core.errors import ConfigError, ConfigProblem, FeatureMismatchError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.qcfql.config import QCFQLAlgorithmConfig
from lerobot.qcfql.losses import Chunks
from lerobot.qcfql.policy import QCFQLPolicy
from lerobot.rl.algorithm import Algorithm, Sample
from lerobot.rl.transition import TransitionBatch


class QCFQLAlgorithm(Algorithm):
    """See `Algorithm`; every network stands in the policy, the slow critics too.

    Args:
        config: settings.
        trained: the policy, on its device, and its processors.

    Raises:
        ConfigError: the policy's chunks are of another size.
        FeatureMismatchError: it is another policy.
    """

    def __init__(self, config: QCFQLAlgorithmConfig, trained: PolicyWithProcessors) -> None:
        super().__init__(config, trained)
        policy = trained.policy
        if not isinstance(policy, QCFQLPolicy):
            raise FeatureMismatchError(
                f"the policy is {policy.name!r}", expected="'qcfql', whose critics learn with it"
            )
        if policy.config.chunk_size != config.chunk_size:
            size = policy.config.chunk_size
            raise ConfigError(
                [ConfigProblem("--algorithm.chunk_size", str(config.chunk_size), f"the policy's, {size}")]
            )
        self._policy = policy
        self.networks = nn.Module()
        self.optimizers = {"adam": torch.optim.Adam(policy.parameter_groups(), lr=config.lr)}

    def update(self, sample: Sample) -> dict[str, Tensor | float]:
        """See `Algorithm.update`."""
        loss, parts = self._policy.loss(chunks_of(sample()))
        optimizer = self.optimizers["adam"]
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # of torch
        optimizer.step()
        self._policy.update()
        return {"loss": loss, **parts}


def chunks_of(batch: TransitionBatch) -> Chunks:
    """Take windows of transitions as chunks; what was seen after them is known, for each lies in its episode."""
    return Chunks(
        batch.observation,
        batch.next_observation,
        # What was sent may be a little out of the recordings' range, which may have no width at all.
        batch.action.clamp(-1, 1).masked_fill(~batch.valid[..., None], 0.0),
        batch.reward,
        batch.terminal,
        batch.valid,
        torch.ones_like(batch.valid[:, 0]),
    )
