"""How GR00T N1.7 learns and acts."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from lerobot.groot.base import FlowHeadPolicy
from lerobot.groot.head import Observed
from lerobot.groot.modeling import with_both_names
from lerobot.groot.n17.config import GrootConfig
from lerobot.groot.n17.conversation import ATTENTION_MASK, GRIDS, PATCHES, TOKENS
from lerobot.groot.n17.head import GrootN17Head
from lerobot.groot.n17.modeling import NAMES, GrootN17
from lerobot.groot.overlap import Overlap
from lerobot.groot.packing import ACTION_MASK, EMBODIMENT, STATE
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.checkpoint.weights import Weights, load_weights
from lerobot.policies.rtc.continuation import Continuation, Mode

_NOT_DECAYED = re.compile(r"bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)")


class GrootPolicy(FlowHeadPolicy):
    """Qwen3-VL, and an action head that follows a flow from noise to actions, for many kinds of robots.

    Args:
        config: see `GrootConfig`.
        from_scratch: take over the weights of `base_model_path` if the configuration asks for them; false if all
            weights will be loaded.

    Raises:
        FeatureMismatchError: the features are not what GR00T needs.
        CheckpointError: the base, or a file that says its sizes, is not there.
        LeRobotError: `transformers` is not installed.

    Source:
        NVIDIA 2025, arXiv:2503.14734, and the release notes of N1.7.
    """

    config: GrootConfig
    table_names: ClassVar[tuple[str, str]] = NAMES
    spare: ClassVar[float] = 1e-6

    def __init__(self, config: GrootConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config.with_sizes())
        size = config.size
        self._patch_width = size.patch_width
        self._groot_model = GrootN17(size, config.max_state_dim, config.max_action_dim)
        self._groot_model.freeze(
            language=not config.tune_llm,
            top_layers=config.tune_top_llm_layers,
            vision=not config.tune_visual,
            projections=not config.tune_projector,
            dit=not config.tune_diffusion_model,
            reader=not config.tune_vlln,
        )
        if from_scratch and config.load_base_weights:

            def named(weights: Weights) -> Weights:
                return with_both_names(weights, names=NAMES)

            load_weights(self._groot_model, Checkpoint.at(config.base_model_path).weights(), named)

    @property
    def head(self) -> GrootN17Head:
        """See `FlowHeadPolicy.head`."""
        return self._groot_model.action_head

    @property
    def input_type(self) -> torch.dtype:
        """See `FlowHeadPolicy.input_type`."""
        return next(self.parameters()).dtype

    @property
    def steps(self) -> int:
        """See `FlowHeadPolicy.steps`; of longer chunks, the last ones were never learned."""
        return self.config.horizon

    @property
    def mixes(self) -> bool:
        """See `FlowHeadPolicy.mixes`."""
        return self.config.use_bf16

    def train(self, mode: bool = True) -> Self:
        """What does not learn leaves no numbers out."""
        super().train(mode)
        for learns, part in (
            (self.config.tune_diffusion_model, self.head.model),
            (self.config.tune_vlln, self.head.vl_self_attention),
        ):
            if not learns:
                part.eval()
        return self

    def parameter_groups(self) -> Iterable[dict[str, Any]]:
        """What decays, and what does not: biases, and weights of normalisations."""
        inside = {
            f"{name}.{each}"
            for name, module in self.named_modules()
            if isinstance(module, nn.LayerNorm)
            for each, _ in module.named_parameters()
        }
        decayed: list[Tensor] = []
        others: list[Tensor] = []
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                (others if name in inside or _NOT_DECAYED.search(name.lower()) else decayed).append(parameter)
        return [{"params": decayed}, {"params": others, "weight_decay": 0.0}]

    def needed_inputs(self) -> Mapping[str, tuple[int, ...]]:
        """See `FlowHeadPolicy.needed_inputs`."""
        return {
            TOKENS: (),
            ATTENTION_MASK: (),
            PATCHES: (self._patch_width,),
            GRIDS: (3,),
            STATE: (1, self.config.max_state_dim),
            EMBODIMENT: (),
        }

    def observe(self, batch: Mapping[str, Any]) -> Observed:
        """See `FlowHeadPolicy.observe`."""
        tokens, present = batch[TOKENS], batch[ATTENTION_MASK].bool()
        # Patches are one after the other, or have an axis for rows.
        patches, grids = self.typed(batch[PATCHES]).flatten(0, -2), batch[GRIDS].flatten(0, -2)
        backbone = self._groot_model.backbone
        seen = backbone(tokens, present, patches, grids)
        state, robot = self.typed(batch[STATE]), batch[EMBODIMENT].long()
        return self.head.observe_parts(seen, present, backbone.images(tokens), state, robot)

    # --- acting ------------------------------------------------------------------------------------------------------

    def select_action(self, batch: Mapping[str, Any]) -> Tensor:
        """See `ChunkedPolicy.select_action`.

        Raises:
            FeatureMismatchError: actions are relative: each would be added to a later state than it was predicted from.
        """
        self.config.require_absolute("act tick by tick")
        return super().select_action(batch)

    @property
    def rtc_modes(self) -> frozenset[Mode]:
        """See `lerobot.policies.rtc.continuation.ContinuesChunks`; see also `Overlap`."""
        return frozenset({"guided"})

    @torch.no_grad()
    def continue_action_chunk(
        self, batch: Mapping[str, Any], continuation: Continuation, *, noise: Tensor | None = None
    ) -> Tensor:
        """See `lerobot.policies.rtc.continuation.ContinuesChunks`, and `Overlap`.

        Of the settings, `execution_horizon` counts; the configuration's `rtc_ramp_rate` is the rest.
        """
        mask = batch.get(ACTION_MASK)
        if mask is not None and mask.ndim == 3:
            # The pre-processor fills up what is left of the chunk before, too.
            real = continuation.previous[:, : int(mask.any(dim=-1).any(dim=0).sum())]
            continuation = Continuation(real, continuation.delay, continuation.settings)
        return self._chunk(batch, noise, Overlap(continuation, self.head.size.ramp_rate))
