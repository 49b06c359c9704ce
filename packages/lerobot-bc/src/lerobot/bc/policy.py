"""How the policies of this package learn and act: a network, a head and an objective."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lerobot.bc.config import BCConfig
from lerobot.bc.heads import make_head
from lerobot.bc.networks import Memory, ObservationEncoder, make_network
from lerobot.bc.objectives import Examples, Following, make_objective
from lerobot.core.errors import LeRobotError
from lerobot.policies.features import ACTION, RETURN, REWARD, check_windows
from lerobot.policies.policy import PreTrainedPolicy


class BCPolicy(PreTrainedPolicy):
    """Acts tick by tick on what its network remembers of the observations.

    Args:
        config: see `BCConfig`.
        from_scratch: fetch the pretrained weights of backbones; false if all weights will be loaded.

    Raises:
        FeatureMismatchError: the features are not what it needs.
        LeRobotError: the pretrained weights cannot be had.

    Source:
        Mandlekar et al. 2021, arXiv:2108.03298; those of the objectives stand in `lerobot.bc.objectives`.
    """

    config: BCConfig

    def __init__(self, config: BCConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        config.validate_features()
        self.encoder = ObservationEncoder(config, from_scratch=from_scratch)
        self.network = make_network(config, self.encoder.width)
        self.head = make_head(config, self.network.width)
        self.objective = make_objective(config, self.network.width, from_scratch=from_scratch)
        self._memory: Memory = None

    # --- acting ------------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget what was observed."""
        self._memory = None

    @torch.no_grad()
    def select_action(self, batch: Mapping[str, Any]) -> Tensor:
        """Choose the action `(B, Da)` of this tick, normalised; see `Policy.select_action`.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        action, self._memory = self._act(batch)
        return action

    @torch.no_grad()
    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """Predict the action of this tick, normalised, as a chunk of one: `(B, 1, Da)`; nothing is remembered.

        Args:
            batch: the newest observation `(B, ...)`, to which `select_action` has seen those before.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        return self._act(batch)[0].unsqueeze(1)

    def _act(self, batch: Mapping[str, Any]) -> tuple[Tensor, Memory]:
        self.require_inputs(batch)
        if self.training:
            self.eval()
        observation = {key: batch[key] for key in self.config.input_features}
        vector = self.encoder({key: value.unsqueeze(1) for key, value in observation.items()})[:, 0]
        features, memory = self.network.step(vector, self._memory)
        return self.objective.act(self.head, features, observation), memory

    # --- learning ----------------------------------------------------------------------------------------------------

    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        """Compute the loss.

        Args:
            batch: with `T` observations and `S` learned steps: inputs `(B, T, ...)`, without the axis where `T` is 1;
                `action` `(B, S, Da)` normalised and `action_is_pad` `(B, S)` bool. With the objective bcq also
                `next.reward` `(B, S)` and whether the observations are beyond the end of the episode,
                `<first input>_is_pad` `(B, T)` bool; with rwr and awr `return_to_go` `(B, S)`.

        Returns:
            The scalar loss, and its parts; see `lerobot.bc.objectives`.

        Raises:
            FeatureMismatchError: something is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        self._require_windows(batch)
        return self.objective.loss(self.head, self._examples(batch))

    def _examples(self, batch: Mapping[str, Any]) -> Examples:
        config = self.config
        inputs = {key: batch[key] for key in config.input_features}
        if config.observation_delta_indices is None:
            inputs = {key: value.unsqueeze(1) for key, value in inputs.items()}
        vectors, length = self.encoder(inputs), len(config.window)
        first = config.learned_steps[0] - config.window[0]
        learned, after = slice(first, length), slice(first + 1, length + 1)
        following = None
        if config.objective == "bcq":
            with torch.no_grad():
                features = self.network(vectors[:, 1:])[:, learned]
            ended = batch[f"{next(iter(config.input_features))}_is_pad"][:, after]
            observations = {key: value[:, after] for key, value in inputs.items()}
            following = Following(batch[REWARD], ended, observations, features)
        real = ~batch[f"{ACTION}_is_pad"]
        return Examples(
            observations={key: value[:, learned] for key, value in inputs.items()},
            features=self.network(vectors[:, :length])[:, learned],
            # Padding may hold anything, even what is not a number, which no factor of zero would take away.
            action=torch.where(real.unsqueeze(-1), batch[ACTION], 0.0),
            real=real,
            returns=batch.get(RETURN),
            following=following,
        )

    def _require_windows(self, batch: Mapping[str, Any]) -> None:
        config = self.config
        seen, steps = config.observation_delta_indices, len(config.learned_steps)
        wanted: dict[str, tuple[int, ...]] = {
            key: feature.shape if seen is None else (len(seen), *feature.shape)
            for key, feature in config.input_features.items()
        }
        wanted |= {ACTION: (steps, *config.output_features[ACTION].shape), f"{ACTION}_is_pad": (steps,)}
        if seen is not None and config.objective == "bcq":
            wanted |= {REWARD: (steps,), f"{next(iter(config.input_features))}_is_pad": (len(seen),)}
        if config.return_discount is not None:
            wanted[RETURN] = (steps,)
        # Of what a dataset does not have, the processors make numbers.
        check_windows({key: value for key, value in batch.items() if isinstance(value, Tensor)}, wanted)

    def update(self) -> None:
        """Do what the objective wants after every step of the optimizer."""
        self.objective.update()


class BCMLPPolicy(BCPolicy):
    """Acts on the present observation alone, so that it can be exported."""

    def exported_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """Predict the chunk `(B, 1, Da)`, normalised; see `lerobot.policies.export.program.Exportable`.

        Raises:
            LeRobotError: its actions are drawn at random.
        """
        if self.head.is_random or self.objective.is_random:
            raise LeRobotError(
                f"the actions of {self.config.objective} with the head {self.config.chosen_head} are drawn at random",
                expected="--policy.head=deterministic or gaussian, and an objective other than bcq",
            )
        return self._act(batch)[0].unsqueeze(1)
