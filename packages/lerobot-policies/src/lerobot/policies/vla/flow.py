"""The base of vision-language-action models that act by flow matching."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, Literal, TypeVar

import torch
from torch import Tensor

from lerobot.policies.features import ACTION, NOISE, OBSERVATION_STATE, check_windows
from lerobot.policies.networks.flow_matching import Flow
from lerobot.policies.networks.padding import pad_last
from lerobot.policies.rtc.continuation import Continuation, Mode
from lerobot.policies.rtc.guidance import Guidance
from lerobot.policies.rtc.prefix import Prefix
from lerobot.policies.vla.config import FlowVLAConfig
from lerobot.policies.vla.policy import VLAPolicy

Context = TypeVar("Context")


class FlowVLAPolicy(VLAPolicy, Generic[Context]):
    """Looks and reads once, then carries noise to a chunk of actions along a learned velocity, from time 1 to 0.

    A subclass says what is seen (`observe`) and the velocity there (`velocity`), and how it learns (`forward`).

    Args:
        config: the configuration, features included.
        steps: Euler's steps from noise to actions.

    Raises:
        FeatureMismatchError: the features are not what such a policy needs.
    """

    config: FlowVLAConfig
    noise_law: Literal["normal"] = "normal"

    def __init__(self, config: FlowVLAConfig, steps: int) -> None:
        super().__init__(config)
        self._steps = steps

    @abstractmethod
    def observe(self, batch: Mapping[str, Any]) -> Context:
        """Look at the cameras, read the task and the state: all that does not change while a chunk is found."""

    @abstractmethod
    def velocity(self, context: Context, actions: Tensor, time: Tensor) -> Tensor:
        """Give the velocity at a point of the way.

        Args:
            context: from `observe`.
            actions: `(B, T, max_action_dim)` float32.
            time: `(B,)` float32; 1 is noise, 0 are actions. With a `longest_delay`, also `(B, T)`.

        Returns:
            `(B, T, max_action_dim)` float32.
        """

    def finished(self, actions: Tensor) -> Tensor:
        """Give the actions `(B, T, Da)` of a chunk that was found, for families that have their own convention."""
        return actions

    @property
    def longest_delay(self) -> int:
        """Actions at the beginning of a chunk that it was trained to be given; 0 if it was not."""
        return 0

    @property
    def rtc_modes(self) -> frozenset[Mode]:
        """See `lerobot.policies.rtc.continuation.ContinuesChunks`."""
        return frozenset({"guided", "trained"} if self.longest_delay else {"guided"})

    # --- acting ------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def predict_action_chunk(self, batch: Mapping[str, Any], *, noise: Tensor | None = None) -> Tensor:
        """Predict the chunk `(B, T, Da)`, normalised.

        Args:
            batch: see `Policy.predict_action_chunk`.
            noise: `(B, T, max_action_dim)` float32 to begin with; None to draw some.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        return self._chunk(batch, noise, None)

    @torch.no_grad()
    def continue_action_chunk(
        self, batch: Mapping[str, Any], continuation: Continuation, *, noise: Tensor | None = None
    ) -> Tensor:
        """See `lerobot.policies.rtc.continuation.ContinuesChunks`, and `predict_action_chunk`."""
        return self._chunk(batch, noise, continuation)

    def draw_noise(self, rows: int) -> Tensor:
        """Draw the noise of chunks, `(rows, T, max_action_dim)`; see `lerobot.policies.export.program.DrawsNoise`."""
        shape = (rows, self.config.chunk_size, self.config.max_action_dim)
        return torch.randn(shape, device=next(self.parameters()).device)

    def exported_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """Predict the chunk `(B, T, Da)`, normalised; see `lerobot.policies.export.program.Exportable`."""
        return self._chunk(batch, batch[NOISE], None)

    def _chunk(self, batch: Mapping[str, Any], noise: Tensor | None, continuation: Continuation | None) -> Tensor:
        self.require_inputs(batch)
        self.eval()
        config = self.config
        if noise is None:
            noise = self.draw_noise(len(batch[OBSERVATION_STATE]))
        guidance, prefix = self._continued(continuation, noise)
        context = self.observe(batch)
        compiles = config.compile_model and not torch.compiler.is_compiling()
        network = torch.compile(self.velocity, mode=config.compile_mode) if compiles else self.velocity

        def velocity(point: Tensor, time: Tensor) -> Tensor:
            if prefix is not None:
                point, time = prefix.hold(point), prefix.times(time, point.shape[1])
            found: Tensor = network(context, point, time)
            return found

        chunk = Flow.FROM_ONE.integrate(velocity, noise, self._steps, guidance)
        chunk = chunk if prefix is None else prefix.hold(chunk)
        return self.finished(chunk[:, :, : config.output_features[ACTION].shape[0]])

    def _continued(self, continuation: Continuation | None, noise: Tensor) -> tuple[Guidance | None, Prefix | None]:
        if continuation is None:
            return None, None
        if continuation.settings.mode == "trained":
            return None, Prefix(continuation, noise, self.longest_delay)
        return Guidance(continuation, noise), None

    # --- learning ----------------------------------------------------------------------------------------------------

    def padded_actions(self, batch: Mapping[str, Any]) -> Tensor:
        """Give the actions to learn, `(B, T, max_action_dim)`.

        Raises:
            FeatureMismatchError: an input is missing, or the batch has no chunk of actions.
        """
        self.require_inputs(batch)
        steps = self.config.chunk_size
        check_windows(batch, {ACTION: (steps, *self.config.output_features[ACTION].shape)})
        return pad_last(batch[ACTION], self.config.max_action_dim)
