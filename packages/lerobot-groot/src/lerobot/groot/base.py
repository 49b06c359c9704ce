"""What both versions of GR00T have in common: how an action head learns and acts."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.core.errors import FeatureMismatchError
from lerobot.groot.head import ActionHead, Observed
from lerobot.groot.modeling import with_both_names
from lerobot.groot.overlap import Overlap
from lerobot.groot.packing import ACTION_MASK
from lerobot.policies.checkpoint.weights import Weights
from lerobot.policies.chunked import ChunkedPolicy
from lerobot.policies.features import ACTION, check_windows
from lerobot.policies.networks.flow_matching import Flow
from lerobot.policies.networks.padding import pad_last

_PREFIX = "_groot_model."


class FlowHeadPolicy(ChunkedPolicy):
    """Looks and reads once, then an action head follows a flow from noise to actions.

    A subclass has the network in `_groot_model`, and says what it takes (`needed_inputs`) and sees (`observe`).
    """

    table_names: ClassVar[tuple[str, str]]
    """See `with_both_names`."""

    spare: ClassVar[float] = 0.0
    """Added to the number of numbers that are learned from."""

    @property
    @abstractmethod
    def head(self) -> ActionHead:
        """The action head."""

    @abstractmethod
    def needed_inputs(self) -> Mapping[str, tuple[int, ...]]:
        """Keys that the pre-processor makes, with the last axes of each."""

    @abstractmethod
    def observe(self, batch: Mapping[str, Any]) -> Observed:
        """Look at the cameras, read the task and the state, of a batch that has all that is needed."""

    @property
    @abstractmethod
    def input_type(self) -> torch.dtype:
        """Type that numbers are brought to before they are computed with."""

    @property
    @abstractmethod
    def mixes(self) -> bool:
        """Whether it is computed in bfloat16, whatever the type of the weights."""

    @property
    def steps(self) -> int:
        """Actions of a chunk that are given."""
        return self.head.size.horizon

    def published(self, weights: Weights) -> Weights:
        """Give weights their names here: those of NVIDIA's files have no prefix; see also `with_both_names`."""
        named = {f"{_PREFIX}{name.removeprefix(_PREFIX)}": tensor for name, tensor in weights.items()}
        return with_both_names(named, _PREFIX, self.table_names)

    def adapter_targets(self) -> str:
        """Queries and values of the blocks that carry noise to actions."""
        return r"_groot_model\.action_head\.model\.transformer_blocks\..*\.to_(q|v)"

    # --- acting ------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def predict_action_chunk(self, batch: Mapping[str, Any], *, noise: Tensor | None = None) -> Tensor:
        """Predict the chunk `(B, T, Da)`, normalised.

        Args:
            batch: see `Policy.predict_action_chunk`.
            noise: `(B, horizon of the network, max_action_dim)` to begin with; None to draw some.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        return self._chunk(batch, noise, None)

    def _chunk(self, batch: Mapping[str, Any], noise: Tensor | None, previous: Overlap | None) -> Tensor:
        self.eval()
        self.require_inputs(batch)
        head = self.head
        with self.mixed():
            observed = self.observe(batch)
            if noise is None:
                shape = (len(observed.seen), head.size.horizon, self.head.actions)
                noise = torch.randn(shape, dtype=observed.seen.dtype, device=observed.seen.device)
            noise = noise if previous is None else previous.put_into(noise)

            def velocity(actions: Tensor, time: Tensor) -> Tensor:
                found = head.velocity(observed, actions, time)
                return found if previous is None else found * previous.freedom(found)

            chunk = Flow.FROM_ZERO.integrate(velocity, noise, head.size.steps)
        return chunk[:, : self.steps, : self.config.output_features[ACTION].shape[0]]

    def require_inputs(self, batch: Mapping[str, Any]) -> None:
        """Check that a batch holds what the pre-processor makes.

        Raises:
            FeatureMismatchError: it does not; names the key.
        """
        needed = self.needed_inputs()
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

    def mixed(self) -> torch.autocast:
        """Context in which it is computed."""
        device = next(self.parameters()).device.type
        return torch.autocast(device, torch.bfloat16, enabled=self.mixes)

    def typed(self, values: Tensor) -> Tensor:
        """Numbers in the type that is computed with."""
        return values.to(self.input_type)

    # --- learning ----------------------------------------------------------------------------------------------------

    def forward(
        self, batch: Mapping[str, Any], *, noise: Tensor | None = None, time: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """Compute the loss: mean squared error of the velocity, over the robot's own numbers.

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
        head, width = self.head, self.config.output_features[ACTION].shape[0]
        mask = batch.get(ACTION_MASK)
        filled = mask is not None and mask.ndim == 3
        steps = mask.shape[1] if mask is not None and filled else self.steps
        check_windows(batch, {ACTION: (steps, self.head.actions if filled else width)})
        self.require_inputs(batch)
        with self.mixed():
            observed = self.observe(batch)
            action = pad_last(self.typed(batch[ACTION]), self.head.actions)
            noise = torch.randn_like(action) if noise is None else noise.to(action.dtype)
            time = head.draw_times(action) if time is None else time.to(action.dtype)
            found = head.velocity(observed, Flow.FROM_ZERO.point(noise, action, time), time)
            error = F.mse_loss(found, Flow.FROM_ZERO.velocity(noise, action), reduction="none")
        real = mask if mask is not None and filled else torch.arange(action.shape[-1], device=action.device) < width
        real = real.expand_as(error)
        return (error * real).sum() / (real.sum() + self.spare), {}
