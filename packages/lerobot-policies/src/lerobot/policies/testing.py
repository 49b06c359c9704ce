"""The contract of policies that `lerobot train`, `eval`, `rollout` and `export` take."""

import copy
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from lerobot.core.config.base import PluginConfig
from lerobot.core.testing import PolicyContract
from lerobot.core.testing.contracts.arrays import seed_everything, to_numpy
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.export.program import DrawsNoise, Exportable
from lerobot.policies.features import ACTION, NOISE
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import make_processors

STATISTICS = {"mean": 0.5, "std": 2.0, "min": -3.0, "max": 4.0, "q01": -2.5, "q10": -2.0, "q90": 3.0, "q99": 3.5}
"""Statistics of every number of the contract's data set: no two modes of normalisation do the same with them."""


class TrainablePolicyContract(PolicyContract):
    """A policy on torch, with a tiny configuration, on the CPU.

    Supply what `PolicyContract` asks for: the fixture `config`, its features included, and the fixture `batch`.
    """

    optional: ClassVar[dict[str, str]] = {
        **PolicyContract.optional,
        "export": "the policy has `exported_chunk`, so that `lerobot export` takes it",
    }

    def test_commands_take_it(self, policy: Any, config: PluginConfig) -> None:
        """Configuration and policy derive from the classes that commands need.

        Repair: derive them from `PreTrainedConfig` and `PreTrainedPolicy`, and give the constructor the keyword
        `from_scratch`.
        """
        assert isinstance(config, PreTrainedConfig)
        assert isinstance(policy, PreTrainedPolicy)
        assert policy.config == config
        assert isinstance(config.build(from_scratch=False), type(policy))

    def test_the_batch_is_what_training_gives(self, config: PreTrainedConfig, batch: dict[str, Any]) -> None:
        """Every feature has the steps in time that the configuration declares: training reads just those.

        Repair: correct `observation_delta_indices` and `action_delta_indices`, or the batch of the test.
        """
        for key, feature in {**config.input_features, **config.output_features}.items():
            indices = config.action_delta_indices if key == ACTION else config.observation_delta_indices
            steps = () if indices is None else (len(indices),)
            assert tuple(batch[key].shape) == (8, *steps, *feature.shape), key

    def test_executed_steps_are_in_the_chunk(self, policy: Any, batch: dict[str, Any]) -> None:
        """`executed_steps` is a part of what is predicted.

        Repair: return how many actions `select_action` takes from a chunk; refuse more than there are.
        """
        chunk = policy.predict_action_chunk(self.observation(batch))
        assert 1 <= policy.config.executed_steps <= chunk.shape[1]
        assert policy.config.unlearned_last_frames >= 0

    def test_a_step_of_training_changes_it(self, policy: Any, config: PreTrainedConfig, batch: dict[str, Any]) -> None:
        """Two steps on `parameter_groups()` change weights, and the policy acts on.

        Repair: hand every parameter that is to be learned to the optimizer, once.
        """
        assert config.optimizer_preset()["type"]
        before = copy.deepcopy(policy.state_dict())
        optimizer = torch.optim.AdamW(policy.parameter_groups(), lr=1e-3)
        policy.train()
        for _ in range(2):
            loss, _ = policy.forward(batch)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            policy.update()
        policy.eval()
        assert any(not torch.equal(before[key], value) for key, value in policy.state_dict().items())
        assert torch.isfinite(policy.predict_action_chunk(self.observation(batch))).all()

    def test_a_checkpoint_acts_like_the_policy(
        self, policy: Any, config: PreTrainedConfig, batch: dict[str, Any], tmp_path: Path
    ) -> None:
        """What is saved, and loaded as commands load it, acts like what was there: weights, settings, processors.

        Within `tolerance`, because weights may lie in another order in memory after loading, which rounds otherwise.

        Repair: make everything that matters a field, a parameter, a buffer or a step's saved state.
        """
        trained = PolicyWithProcessors(policy, make_processors(config, statistics(config)))
        trained.save_pretrained(tmp_path)
        acted = []
        for each in (trained, PolicyWithProcessors.from_pretrained(tmp_path)):
            seed_everything(9)
            each.policy.reset()
            each.processors.reset()
            action = each.policy.select_action(each.processors.preprocessor(self.observation(batch)))
            acted.append(each.processors.postprocessor(action))
        assert (acted[0] - acted[1]).abs().max() <= self.tolerance

    def test_the_exported_chunk_is_the_predicted_one(self, policy: Any, batch: dict[str, Any]) -> None:
        """`exported_chunk` gives, from observation and noise alone, what `predict_action_chunk` gives.

        Repair: let one call the other; remember and draw nothing in `exported_chunk`; let `draw_noise` draw in the
        order in which `predict_action_chunk` does.
        """
        self.require("export", isinstance(policy, Exportable))
        observation = self.observation(batch)
        policy.reset()
        noise = {}
        if isinstance(policy, DrawsNoise):
            seed_everything(7)
            noise[NOISE] = policy.draw_noise(8)
        with torch.no_grad():
            exported = to_numpy(policy.exported_chunk({**observation, **noise}))
        seed_everything(7)
        assert abs(exported - to_numpy(policy.predict_action_chunk(observation))).max() <= self.tolerance


def statistics(config: PreTrainedConfig) -> dict[str, dict[str, Tensor]]:
    """Statistics of every feature of a configuration, as a data set has them."""
    return {
        key: {name: torch.full(_statistic_shape(feature.shape), value) for name, value in STATISTICS.items()}
        for key, feature in {**config.input_features, **config.output_features}.items()
    }


def _statistic_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Statistics of pictures `(C, H, W)` are per channel, all others per element."""
    return (shape[0], 1, 1) if len(shape) == 3 else shape
