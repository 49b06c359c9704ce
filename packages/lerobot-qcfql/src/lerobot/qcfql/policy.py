"""How QC-FQL learns and acts."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lerobot.policies.chunked import ChunkedPolicy
from lerobot.policies.features import ACTION, DONE, REWARD, SUCCESS, TRUNCATED, check_windows
from lerobot.qcfql.config import QCFQLConfig
from lerobot.qcfql.losses import Chunks, Draws, losses
from lerobot.qcfql.modeling import Networks, slow_copy


class QCFQLPolicy(ChunkedPolicy):
    """Q-learning on chunks of actions, held near the recordings by a flow; FQL with chunks of one action.

    Args:
        config: see `QCFQLConfig`.
        from_scratch: draw weights as published; false if all weights will be loaded.

    Raises:
        FeatureMismatchError: the features are not what it needs.

    Source:
        Li, Zhou, Levine 2025, Reinforcement Learning with Action Chunking, arXiv:2507.07969.
    """

    config: QCFQLConfig

    def __init__(self, config: QCFQLConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        self.model = Networks(config)
        if from_scratch:
            self.model.start()
        self.target_critic = slow_copy(self.model.critic)
        self._first_input = next(iter(config.input_features))

    @torch.no_grad()
    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """Choose the actions `(B, chunk_size, Da)` from now on, normalised, with noise of torch's generator.

        Args:
            batch: the observation, `(B, ...)`.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        if self.training:
            self.eval()
        seen = {key: batch[key] for key in self.config.input_features}
        first = seen[self._first_input]
        chunks = self.model.act(seen, self.model.noise(len(first), first))
        return chunks.view(len(chunks), self.config.chunk_size, -1)

    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        """Compute the loss.

        Args:
            batch: with `h` = `chunk_size`: inputs `(B, 2, ...)` before and after the chunk, `action` `(B, h, Da)`
                normalised, `next.reward` `(B, h)`, and bool: which of them lie beyond the end of the episode, as
                `<first input>_is_pad` `(B, 2)` and `action_is_pad` `(B, h)`; and `next.done` `(B, h)`, of which
                `next.truncated` `(B, h)` were only cut off; without the latter `next.success` `(B, h)` counts if it is
                there.

        Returns:
            The scalar loss, and its parts, see `lerobot.qcfql.losses.losses`.

        Raises:
            FeatureMismatchError: something is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        return self.loss(self._chunks(batch))

    def loss(self, chunks: Chunks) -> tuple[Tensor, dict[str, Any]]:
        """Compute the loss of chunks, and its parts, with draws of torch's generator."""
        return losses(self.config, self.model, self.target_critic, chunks, Draws.of(self.model, chunks.actions))

    def _chunks(self, batch: Mapping[str, Any]) -> Chunks:
        steps, config = self.config.chunk_size, self.config
        shown, acted = f"{self._first_input}_is_pad", f"{ACTION}_is_pad"
        cut_off = isinstance(batch.get(TRUNCATED), Tensor)
        known = isinstance(batch.get(SUCCESS), Tensor)
        ends = [DONE, TRUNCATED] if cut_off else [SUCCESS] if known else [DONE]
        wanted: dict[str, tuple[int, ...]] = {
            key: (2, *feature.shape) for key, feature in config.input_features.items()
        }
        wanted |= {shown: (2,), ACTION: (steps, *config.output_features[ACTION].shape)}
        wanted |= dict.fromkeys((REWARD, acted, *ends), (steps,))
        # Of what a dataset does not have, the processors make numbers.
        check_windows({key: value for key, value in batch.items() if isinstance(value, Tensor)}, wanted)
        solved = batch[ends[0]].bool()
        if cut_off:
            solved = solved & ~batch[TRUNCATED].bool()
        return Chunks(
            {key: batch[key][:, 0] for key in config.input_features},
            {key: batch[key][:, 1] for key in config.input_features},
            # The behaviour sees whole chunks: what a dataset repeats behind an episode's end would be learned from.
            batch[ACTION].clamp(-1, 1).masked_fill(batch[acted][..., None], 0.0),
            batch[REWARD],
            solved & ~batch[acted],
            ~batch[acted],
            ~batch[shown][:, 1],
        )

    @torch.no_grad()
    def update(self) -> None:
        """Let the slow critics follow; after every step of the optimizer."""
        for slow, fast in zip(self.target_critic.parameters(), self.model.critic.parameters(), strict=True):
            slow.lerp_(fast, self.config.tau)
