"""The base of vision-language-action models that act by flow matching."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from lerobot.core.errors import LeRobotError
from lerobot.policies.chunks import ActionQueue
from lerobot.policies.features import ACTION, OBSERVATION_STATE, check_windows
from lerobot.policies.networks.flow_matching import Flow, Velocity
from lerobot.policies.networks.guidance import guided
from lerobot.policies.networks.padding import pad_last
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.vla.config import VLAConfig
from lerobot.policies.vla.images import require_batch

Context = TypeVar("Context")
Pull = Callable[[Velocity, Tensor], Velocity]
"""From the network's velocity, and the noise it begins with, to the one that is followed."""


class FlowVLAPolicy(PreTrainedPolicy, Generic[Context]):
    """Looks and reads once, then carries noise to a chunk of actions along a learned velocity, from time 1 to 0.

    A subclass says what is seen (`observe`) and the velocity there (`velocity`), and how it learns (`forward`).

    Args:
        config: the configuration, features included.
        steps: Euler's steps from noise to actions.

    Raises:
        FeatureMismatchError: the features are not what such a policy needs.
    """

    config: VLAConfig

    def __init__(self, config: VLAConfig, steps: int) -> None:
        super().__init__(config)
        config.validate_features()
        self._steps = steps
        self._actions = ActionQueue(config.n_action_steps)

    @abstractmethod
    def observe(self, batch: Mapping[str, Any]) -> Context:
        """Look at the cameras, read the task and the state: all that does not change while a chunk is found."""

    @abstractmethod
    def velocity(self, context: Context, actions: Tensor, time: Tensor) -> Tensor:
        """Give the velocity at a point of the way.

        Args:
            context: from `observe`.
            actions: `(B, T, max_action_dim)` float32.
            time: `(B,)` float32; 1 is noise, 0 are actions.

        Returns:
            `(B, T, max_action_dim)` float32.
        """

    def finished(self, actions: Tensor) -> Tensor:
        """Give the actions `(B, T, Da)` of a chunk that was found, for families that have their own convention."""
        return actions

    def supports_rtc(self) -> bool:
        """See `PreTrainedPolicy.supports_rtc`."""
        return True

    def reset(self) -> None:
        """Forget the actions that wait."""
        self._actions.reset()

    def require_inputs(self, batch: Mapping[str, Any]) -> None:
        """See `PreTrainedPolicy.require_inputs`; cameras may be missing, as many as `empty_cameras`."""
        require_batch(self.config, self.name, batch)

    # --- acting ------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def select_action(self, batch: Mapping[str, Any]) -> Tensor:
        """Choose the action `(B, Da)` of this tick, normalised; see `Policy.select_action`.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
            LeRobotError: the policy is set to real-time chunking.
        """
        if self._rtc_enabled:
            raise LeRobotError(
                f"policy {self.name!r} is set to real-time chunking, which gives no single actions",
                expected="whole chunks, by predict_action_chunk; or --policy.rtc_config=null",
            )
        return self._actions.next(lambda: self.predict_action_chunk(batch))

    @torch.no_grad()
    def predict_action_chunk(
        self,
        batch: Mapping[str, Any],
        *,
        noise: Tensor | None = None,
        inference_delay: int = 0,
        prev_chunk_left_over: Tensor | None = None,
        execution_horizon: int | None = None,
    ) -> Tensor:
        """Predict the chunk `(B, T, Da)`, normalised.

        Args:
            batch: see `Policy.predict_action_chunk`.
            noise: `(B, T, max_action_dim)` float32 to begin with; None to draw some.
            inference_delay: with real-time chunking, actions executed before this chunk is there.
            prev_chunk_left_over: with real-time chunking, the normalised actions that are left of the last chunk,
                `(T', Da)` or `(B, T', Da)`; None for the first chunk.
            execution_horizon: actions that feel the pull of the last chunk; None for the configured ones.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        self.eval()
        rtc, past = self.config.rtc_config, prev_chunk_left_over
        if rtc is None or not rtc.enabled or past is None:
            return self._chunk(batch, noise, lambda velocity, _: velocity)

        def drawn(velocity: Velocity, noise: Tensor) -> Velocity:
            left = past.to(noise)
            return guided(velocity, rtc, left, noise.shape, delay=inference_delay, horizon=execution_horizon)

        # What is made in inference mode can have no derivative, and the pull may need one.
        with torch.inference_mode(False), torch.no_grad():
            return self._chunk({key: _normal(value) for key, value in batch.items()}, _normal(noise), drawn)

    def _chunk(self, batch: Mapping[str, Any], noise: Tensor | None, drawn: Pull) -> Tensor:
        config = self.config
        if noise is None:
            shape = (len(batch[OBSERVATION_STATE]), config.chunk_size, config.max_action_dim)
            noise = torch.randn(shape, device=next(self.parameters()).device)
        context = self.observe(batch)
        network = torch.compile(self.velocity, mode=config.compile_mode) if config.compile_model else self.velocity

        def velocity(point: Tensor, time: Tensor) -> Tensor:
            found: Tensor = network(context, point, time)
            return found

        chunk = Flow.FROM_ONE.integrate(drawn(velocity, noise), noise, self._steps)
        return self.finished(chunk[:, :, : config.output_features[ACTION].shape[0]])

    @property
    def _rtc_enabled(self) -> bool:
        return self.config.rtc_config is not None and self.config.rtc_config.enabled

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


def _normal(value: Any) -> Any:
    """A tensor that may have a derivative, of one that was made in inference mode."""
    return value.clone() if isinstance(value, Tensor) else value
