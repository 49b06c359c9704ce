"""Sampling that is pulled towards the previous chunk while noise is taken away.

Source: Black, Galliker and Levine 2025, arXiv:2506.07339, algorithm 1; pseudoinverse guidance is of Song et al. 2023,
"Pseudoinverse-guided diffusion models for inverse problems", and Pokle et al. 2024, arXiv:2310.04432, for flows.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from lerobot.core.errors import LeRobotError
from lerobot.policies.rtc.continuation import Continuation
from lerobot.policies.rtc.weights import prefix_weights

Field = Callable[[Tensor], Tensor]
"""From noisy actions to their velocity, both `(B, T, Da)`."""

Prediction = Callable[[Tensor], tuple[Tensor, Tensor]]
"""From noisy actions to what the network predicts and the actions without noise that follow from it, `(B, T, Da)`."""


class Guidance:
    """Pulls actions under way from noise towards those of the previous chunk.

    Actions `a` and noise `n` are mixed as `tau a + (1 - tau) n`. At a share `tau` the network's guess of the actions
    deviates from the previous chunk by a weighted error; it is carried back through the network, times
    `min((tau^2 + (1 - tau)^2) / (tau (1 - tau)), max_guidance_weight)`, and added to the velocity.

    Args:
        continuation: what is continued; fewer numbers per action than in `noise` are filled up with zeros, as policies
            fill their actions.
        noise: what sampling starts from, `(B, T, Da)`.
        first: which of its `T` actions belongs to the tick of the observation.

    Raises:
        LeRobotError: gradients cannot be computed here; or the previous chunk is of other rows or wider actions.
    """

    def __init__(self, continuation: Continuation, noise: Tensor, *, first: int = 0) -> None:
        settings, previous = continuation.settings, continuation.previous
        if settings.use_jacobian and torch.is_inference_mode_enabled():
            raise LeRobotError(
                "guidance differentiates the network, which inference mode rules out",
                expected="torch.no_grad() around the prediction, or use_jacobian=false",
            )
        rows, steps, width = noise.shape
        if previous.shape[0] != rows or previous.shape[2] > width:
            raise LeRobotError(
                f"a chunk of the shape {tuple(noise.shape)} cannot continue one of {tuple(previous.shape)}",
                expected="as many rows, and at most as many numbers per action",
            )
        known = min(previous.shape[1], steps - first)
        self._goal = torch.zeros_like(noise)
        self._goal[:, first : first + known, : previous.shape[2]] = previous[:, :known]
        weights = torch.zeros(steps, device="cpu")
        weights[first:] = prefix_weights(
            settings.prefix_attention_schedule,
            continuation.delay,
            min(settings.execution_horizon, previous.shape[1]),
            steps - first,
        )
        self._weights = weights[:, None].to(noise)
        self._jacobian = settings.use_jacobian
        self._most = settings.max_guidance_weight

    def velocity(self, noisy: Tensor, time: float, field: Field, *, data_at: Literal[0, 1]) -> Tensor:
        """Give the guided velocity of flow matching, `(B, T, Da)`.

        Args:
            noisy: actions under way, `(B, T, Da)`.
            time: where they are.
            field: the network's velocity at this time: the change of the actions per unit of time.
            data_at: time of the actions: 0 if time runs from noise at 1 down to it, 1 if it runs from noise at 0 up.
        """
        left = data_at - time

        def predict(noisy: Tensor) -> tuple[Tensor, Tensor]:
            velocity = field(noisy)
            return velocity, noisy + left * velocity

        velocity, pull = self._predicted(noisy, predict)
        share = 1 - abs(left)
        # The pull goes towards the actions: forwards in time, or backwards.
        return velocity + (2 * data_at - 1) * self._strength(share) * pull

    def change(self, noisy: Tensor, kept: float, predict: Prediction) -> tuple[Tensor, Tensor]:
        """Predict at a level of diffusion, and say how guidance changes the actions.

        Noisy actions `sqrt(kept) a + sqrt(1 - kept) n`, divided by the sum of both roots, are the mixture that flow
        matching has. The change is what its guided velocity makes of the actions it leads to.

        Args:
            noisy: actions under way, `(B, T, Da)`.
            kept: share of signal in their squared amplitude, alpha bar; below 1.
            predict: what the network predicts from such actions, and the actions without noise that follow from it.

        Returns:
            What the network predicts, and what to add to the actions that follow from it, `(B, T, Da)`.
        """
        signal, spread = kept**0.5, (1 - kept) ** 0.5
        scale = signal + spread
        share = signal / scale
        predicted, pull = self._predicted(noisy, predict)
        # The derivative by the mixture is that by the noisy actions times their ratio.
        ratio = scale if self._jacobian else 1.0
        return predicted, (1 - share) * self._strength(share) * ratio * pull

    def _predicted(self, noisy: Tensor, predict: Prediction) -> tuple[Tensor, Tensor]:
        """What is predicted, and the error of the actions that follow, carried back to the input."""
        if not self._jacobian:
            result, actions = predict(noisy)
            return result, self._error(actions)
        with torch.enable_grad():
            noisy = noisy.detach().requires_grad_()
            result, actions = predict(noisy)
            (pull,) = torch.autograd.grad(actions, noisy, self._error(actions.detach()))
        return result.detach(), pull

    def _error(self, actions: Tensor) -> Tensor:
        return (self._goal - actions) * self._weights

    def _strength(self, share: float) -> float:
        """Weight of the pull at a share of actions in the mixture."""
        product = share * (1 - share)
        return self._most if product <= 0 else min((share**2 + (1 - share) ** 2) / product, self._most)
