"""How TD-MPC learns and acts."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lerobot.policies.chunks import ActionQueue
from lerobot.policies.features import ACTION, OBSERVATION_STATE, REWARD, check_windows
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.tdmpc.config import TDMPCConfig
from lerobot.tdmpc.losses import Experience, losses
from lerobot.tdmpc.modeling import TaskModel
from lerobot.tdmpc.plan import Plan, plan
from lerobot.tdmpc.shifts import shifted


class TDMPCPolicy(PreTrainedPolicy):
    """Temporal-difference learning for model-predictive control, with the changes of FOWM.

    Args:
        config: see `TDMPCConfig`.
        from_scratch: draw weights as published; false if all weights will be loaded.

    Raises:
        FeatureMismatchError: the features are not what it needs.

    Source:
        Hansen et al. 2022, arXiv:2203.04955; Feng et al. 2023, arXiv:2310.16029.
    """

    config: TDMPCConfig

    def __init__(self, config: TDMPCConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        config.validate_features()
        self.model = TaskModel(config)
        if from_scratch:
            self.model.start()
        self.model_target = copy.deepcopy(self.model).requires_grad_(False)
        self._actions = ActionQueue(max(config.n_action_steps, config.n_action_repeats))
        self._mean: Tensor | None = None

    # --- acting ------------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget the plan, and the actions that wait."""
        self._actions.reset()
        self._mean = None

    @torch.no_grad()
    def select_action(self, batch: Mapping[str, Any]) -> Tensor:
        """Choose the action `(B, Da)` of this tick, normalised; see `Policy.select_action`.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        self._act()
        return self._actions.next(lambda: self._next_actions(batch))

    def _next_actions(self, batch: Mapping[str, Any]) -> Tensor:
        found = self._plan(batch)
        self._mean = found.mean
        chunk = _executable(found)
        repeats = self.config.n_action_repeats
        return chunk[:, :1].expand(-1, repeats, -1) if repeats > 1 else chunk[:, : self.config.n_action_steps]

    @torch.no_grad()
    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """Plan actions, each for one tick, normalised: `(B, horizon, Da)`, or `(B, 1, Da)` of the policy alone.

        The search begins where that of the last action of `select_action` ended, and leaves that as it is.

        Args:
            batch: the observation, `(B, ...)`.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        self._act()
        return _executable(self._plan(batch))

    def _plan(self, batch: Mapping[str, Any]) -> Plan:
        self.require_inputs(batch)
        latent = self.model.encode({key: batch[key] for key in self.config.input_features})
        if self.config.use_mpc:
            return plan(self.config, self.model, latent, self._mean)
        actions = self.model.act(latent)[None]
        return Plan(actions, actions)

    def _act(self) -> None:
        if self.training:
            self.eval()

    # --- learning ----------------------------------------------------------------------------------------------------

    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        """Compute the loss.

        Args:
            batch: with `T` = `horizon`: inputs `(B, T + 1, ...)`, `action` `(B, T, Da)` normalised, `next.reward`
                `(B, T)`, and which of them are beyond the end of an episode: `observation.state_is_pad` `(B, T + 1)`,
                `action_is_pad` and `next.reward_is_pad` `(B, T)`, bool.

        Returns:
            The scalar loss, and its parts, see `lerobot.tdmpc.losses.losses`.

        Raises:
            FeatureMismatchError: something is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        self._require_windows(batch)
        observations = {key: batch[key].transpose(0, 1) for key in self.config.input_features}
        if self.training and self.config.max_random_shift_ratio > 0:
            for key in self.config.image_features:
                pictures = observations[key]
                moved = shifted(pictures.flatten(0, 1), self.config.max_random_shift_ratio)
                observations[key] = moved.view(pictures.shape)
        actions, rewards, *padded = (batch[key].transpose(0, 1) for key in (ACTION, REWARD, *_PADDING))
        seen = Experience(observations, actions, rewards, *(~each for each in padded))
        return losses(self.config, self.model, self.model_target, seen)

    def _require_windows(self, batch: Mapping[str, Any]) -> None:
        steps, config = self.config.horizon, self.config
        wanted: dict[str, tuple[int, ...]] = {
            key: (steps + 1, *feature.shape) for key, feature in config.input_features.items()
        }
        wanted |= {ACTION: (steps, *config.output_features[ACTION].shape), REWARD: (steps,)}
        wanted |= dict(zip(_PADDING, ((steps + 1,), (steps,), (steps,)), strict=True))
        # Of what a dataset does not have, the processors make numbers.
        check_windows({key: value for key, value in batch.items() if isinstance(value, Tensor)}, wanted)

    @torch.no_grad()
    def update(self) -> None:
        """Let the slow copy follow; after every step of the optimizer."""
        momentum = self.config.target_model_momentum
        for slow, fast in zip(self.model_target.parameters(), self.model.parameters(), strict=True):
            slow.lerp_(fast, 1 - momentum)


_PADDING = (f"{OBSERVATION_STATE}_is_pad", f"{ACTION}_is_pad", f"{REWARD}_is_pad")


def _executable(found: Plan) -> Tensor:
    """Actions of a plan, `(B, T, Da)`: the policy's noise may lead out of range."""
    return found.actions.clamp(-1, 1).transpose(0, 1)
