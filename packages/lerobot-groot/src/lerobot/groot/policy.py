"""How GR00T N1.5 learns and acts."""

from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.core.errors import FeatureMismatchError
from lerobot.groot.config import GrootN15Config
from lerobot.groot.eagle_inputs import ATTENTION_MASK, PIXELS, TOKENS
from lerobot.groot.head import Observed
from lerobot.groot.modeling import GrootN15, with_both_names
from lerobot.groot.packing import ACTION_MASK, EMBODIMENT, STATE
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.checkpoint.weights import Weights, load_weights
from lerobot.policies.chunked import ChunkedPolicy
from lerobot.policies.features import ACTION, check_windows
from lerobot.policies.networks.flow_matching import Flow
from lerobot.policies.networks.padding import pad_last

_PREFIX = "_groot_model."


class GrootN15Policy(ChunkedPolicy):
    """A vision-language model, and an action head that follows a flow from noise to actions, for many kinds of robots.

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

    def published(self, weights: Weights) -> Weights:
        """Give weights their names here: those of NVIDIA's files have no prefix; see also `with_both_names`."""
        named = {f"{_PREFIX}{name.removeprefix(_PREFIX)}": tensor for name, tensor in weights.items()}
        return with_both_names(named, _PREFIX)

    def adapter_targets(self) -> str:
        """Queries and values of the blocks that carry noise to actions."""
        return r"_groot_model\.action_head\.model\.transformer_blocks\..*\.to_(q|v)"

    def train(self, mode: bool = True) -> Self:
        """Blocks that do not learn leave no numbers out."""
        super().train(mode)
        if not self.config.tune_diffusion_model:
            self._groot_model.action_head.model.eval()
        return self

    # --- acting ------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def predict_action_chunk(self, batch: Mapping[str, Any], *, noise: Tensor | None = None) -> Tensor:
        """Predict the chunk `(B, T, Da)`, normalised.

        Args:
            batch: see `Policy.predict_action_chunk`.
            noise: `(B, T, max_action_dim)` to begin with; None to draw some.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        self.eval()
        head = self._groot_model.action_head
        with self._mixed():
            observed = self._observe(batch)
            if noise is None:
                shape = (len(observed.seen), self._size.head.horizon, self.config.max_action_dim)
                noise = torch.randn(shape, dtype=observed.seen.dtype, device=observed.seen.device)

            def velocity(actions: Tensor, time: Tensor) -> Tensor:
                return head.velocity(observed, actions, time)

            chunk = Flow.FROM_ZERO.integrate(velocity, noise, self._size.head.steps)
        return chunk[:, :, : self.config.output_features[ACTION].shape[0]]

    def require_inputs(self, batch: Mapping[str, Any]) -> None:
        """Check that a batch holds what the pre-processor makes.

        Raises:
            FeatureMismatchError: it does not; names the key.
        """
        side = self._size.eagle.vision.image
        needed: dict[str, tuple[int, ...]] = {
            TOKENS: (),
            ATTENTION_MASK: (),
            PIXELS: (3, side, side),
            STATE: (1, self.config.max_state_dim),
            EMBODIMENT: (),
        }
        for key, shape in needed.items():
            found = None if key not in batch else tuple(batch[key].shape)
            if found is None or found[len(found) - len(shape) :] != shape:
                raise FeatureMismatchError(
                    f"policy {self.name!r} got {f'no {key!r}' if found is None else f'{key!r} of the shape {found}'}",
                    keys=[key],
                    expected=f"{', '.join(needed)}; given: {', '.join(batch) or 'nothing'}"
                    if found is None
                    else f"(..., {', '.join(map(str, shape))})",
                    hint="The pre-processor of the policy makes it.",
                )

    def _mixed(self) -> torch.autocast:
        device = next(self.parameters()).device.type
        return torch.autocast(device, torch.bfloat16, enabled=self.config.use_bf16)

    def _observe(self, batch: Mapping[str, Any]) -> Observed:
        self.require_inputs(batch)
        present = batch[ATTENTION_MASK].bool()
        # Images are one after the other, or have an axis for rows and one for cameras.
        images = self._typed(batch[PIXELS]).flatten(0, -4)
        seen = self._groot_model.backbone(batch[TOKENS], present, images)
        return self._groot_model.action_head.observe(seen, present, self._typed(batch[STATE]), batch[EMBODIMENT])

    def _typed(self, values: Tensor) -> Tensor:
        """Numbers in the type that is computed with."""
        return values.to(torch.bfloat16 if self.config.use_bf16 else next(self.parameters()).dtype)

    # --- learning ----------------------------------------------------------------------------------------------------

    def forward(
        self, batch: Mapping[str, Any], *, noise: Tensor | None = None, time: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """Compute the loss: mean squared error of the velocity, over the robot's own numbers.

        Steps behind the end of an episode count too: there its last action is repeated, which holds the robot still.

        Args:
            batch: inputs, and `action` `(B, T, Da)` or `(B, T, max_action_dim)` normalised, with `action_mask` if it is
                filled up.
            noise: `(B, T, max_action_dim)`; None to draw some.
            time: `(B,)`; None to draw some.

        Returns:
            The scalar loss, and nothing besides.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        head, width = self._groot_model.action_head, self.config.output_features[ACTION].shape[0]
        filled = ACTION_MASK in batch
        check_windows(batch, {ACTION: (self._size.head.horizon, self.config.max_action_dim if filled else width)})
        with self._mixed():
            observed = self._observe(batch)
            action = pad_last(self._typed(batch[ACTION]), self.config.max_action_dim)
            noise = torch.randn_like(action) if noise is None else noise.to(action.dtype)
            time = head.draw_times(action) if time is None else time.to(action.dtype)
            found = head.velocity(observed, Flow.FROM_ZERO.point(noise, action, time), time)
            error = F.mse_loss(found, Flow.FROM_ZERO.velocity(noise, action), reduction="none")
        real = batch[ACTION_MASK] if filled else torch.arange(action.shape[-1], device=action.device) < width
        real = real.expand_as(error)
        return (error * real).sum() / real.sum(), {}
