"""How GR00T N1.5 learns and acts."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch

from lerobot.groot.base import FlowHeadPolicy
from lerobot.groot.config import GrootN15Config
from lerobot.groot.eagle_inputs import ATTENTION_MASK, PIXELS, TOKENS
from lerobot.groot.head import ActionHead, Observed
from lerobot.groot.modeling import HEAD, TABLE, GrootN15, with_both_names
from lerobot.groot.packing import EMBODIMENT, STATE
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.checkpoint.weights import load_weights


class GrootN15Policy(FlowHeadPolicy):
    """A vision-language model, and an action head that follows a flow from noise to actions, for many kinds of robots.

    Steps behind the end of an episode are learned too: there its last action is repeated, which holds the robot still.

    Args:
        config: see `GrootN15Config`.
        from_scratch: take over the weights of `base_model_path` if the configuration asks for them; false if all
            weights will be loaded.

    Raises:
        FeatureMismatchError: the features are not what GR00T needs.
        CheckpointError: the base, or a file that says its sizes, is not there.

    Source:
        NVIDIA 2025, arXiv:2503.14734, and the release notes of N1.5.
    """

    config: GrootN15Config
    table_names: ClassVar[tuple[str, str]] = (HEAD, TABLE)

    def __init__(self, config: GrootN15Config, *, from_scratch: bool = True) -> None:
        super().__init__(config.with_sizes())
        self._size = config.size
        self._groot_model = GrootN15(self._size, config.max_state_dim, config.max_action_dim)
        self._groot_model.freeze(
            language=not config.tune_llm,
            vision=not config.tune_visual,
            projections=not config.tune_projector,
            dit=not config.tune_diffusion_model,
        )
        if from_scratch and config.load_base_weights:
            load_weights(self._groot_model, Checkpoint.at(config.base_model_path).weights(), with_both_names)

    @property
    def head(self) -> ActionHead:
        """See `FlowHeadPolicy.head`."""
        return self._groot_model.action_head

    @property
    def input_type(self) -> torch.dtype:
        """See `FlowHeadPolicy.input_type`."""
        return torch.bfloat16 if self.config.use_bf16 else next(self.parameters()).dtype

    @property
    def mixes(self) -> bool:
        """See `FlowHeadPolicy.mixes`."""
        return self.config.use_bf16

    def train(self, mode: bool = True) -> Self:
        """Blocks that do not learn leave no numbers out."""
        super().train(mode)
        if not self.config.tune_diffusion_model:
            self.head.model.eval()
        return self

    def needed_inputs(self) -> Mapping[str, tuple[int, ...]]:
        """See `FlowHeadPolicy.needed_inputs`."""
        side = self._size.eagle.vision.image
        return {
            TOKENS: (),
            ATTENTION_MASK: (),
            PIXELS: (3, side, side),
            STATE: (1, self.config.max_state_dim),
            EMBODIMENT: (),
        }

    def observe(self, batch: Mapping[str, Any]) -> Observed:
        """See `FlowHeadPolicy.observe`."""
        present = batch[ATTENTION_MASK].bool()
        # Images are one after the other, or have an axis for rows and one for cameras.
        images = self.typed(batch[PIXELS]).flatten(0, -4)
        seen = self._groot_model.backbone(batch[TOKENS], present, images)
        return self.head.observe(seen, present, self.typed(batch[STATE]), batch[EMBODIMENT])
