"""The contract of policies, free of any array library: tensors are used through their own methods."""

import copy
import math
from typing import Any, ClassVar

import numpy as np
import pytest

from lerobot.core.config.base import PluginConfig
from lerobot.core.protocols import Policy
from lerobot.core.testing.contracts.arrays import changed, rows, seed_everything, snapshot, to_numpy
from lerobot.core.testing.contracts.base import Contract


class PolicyContract(Contract):
    """A policy with a tiny configuration, on the CPU.

    Supply the fixture `config` (small enough to build in a moment) and the fixture `batch`: 8 rows of everything
    `forward` needs, processed: observations, `action` `(8, T, Da)`, and `action_is_pad` `(8, T)` if padding is masked.

    Attributes:
        tolerance: largest difference allowed between a row alone and the same row in a batch.
    """

    tolerance: ClassVar[float] = 1e-5
    optional: ClassVar[dict[str, str]] = {
        "gradients": "the loss of `forward` has `backward()`",
        "padding": "the batch has `action_is_pad`, and padded steps do not count",
    }

    @pytest.fixture
    def config(self) -> PluginConfig:
        """A tiny configuration."""
        pytest.fail("define a fixture `config` that returns a tiny configuration of your policy")

    @pytest.fixture
    def batch(self) -> dict[str, Any]:
        """Eight rows of everything `forward` needs."""
        pytest.fail("define a fixture `batch` with 8 rows of what your policy is trained on")

    @pytest.fixture
    def policy(self, config: PluginConfig) -> Any:
        """The policy, built with seed 0 and, if it has `eval()`, in inference mode."""
        return self.make(config)

    def make(self, config: PluginConfig) -> Any:
        """Build a policy ready for inference."""
        seed_everything(0)
        policy = config.build()
        if hasattr(policy, "eval"):
            policy.eval()
        policy.reset()
        return policy

    def observation(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The part of a batch that is there at inference."""
        return {key: value for key, value in batch.items() if key.startswith("observation") or key == "task"}

    def test_it_fulfils_the_protocol(self, policy: Any, config: PluginConfig) -> None:
        """The policy has every member of the `Policy` protocol and the name it is registered under.

        Repair: add the member that is missing; `lerobot.core.protocols.policy` says what it does.
        """
        assert isinstance(policy, Policy)
        assert policy.name == config.type

    def test_config_survives_json(self, config: PluginConfig) -> None:
        """A configuration written as JSON and read again is the same one: it is part of a checkpoint.

        Repair: give fields types pydantic can write and read.
        """
        assert type(config).model_validate_json(config.model_dump_json()) == config

    # --- acting ------------------------------------------------------------------------------------------------------

    def test_an_action_per_row(self, policy: Any, batch: dict[str, Any]) -> None:
        """`select_action` gives `(8, Da)` finite numbers, `predict_action_chunk` `(8, T, Da)` with the same `Da`.

        Repair: keep the batch axis, and unnormalise in the post-processor.
        """
        action = to_numpy(policy.select_action(self.observation(batch)))
        chunk = to_numpy(policy.predict_action_chunk(self.observation(batch)))
        assert action.ndim == 2
        assert action.shape[0] == 8
        assert chunk.ndim == 3
        assert (chunk.shape[0], chunk.shape[2]) == action.shape
        assert np.isfinite(action).all()
        assert np.isfinite(chunk).all()

    def test_the_batch_is_not_changed(self, policy: Any, batch: dict[str, Any]) -> None:
        """Neither acting nor training changes the batch or its arrays.

        Repair: do not write in place into inputs; copy the mapping before adding keys.
        """
        observation = self.observation(batch)
        before, before_all = snapshot(observation), snapshot(batch)
        policy.select_action(observation)
        policy.predict_action_chunk(observation)
        assert not changed(before, snapshot(observation))
        policy.forward(batch)
        assert not changed(before_all, snapshot(batch))

    def test_the_same_seed_gives_the_same_actions(self, config: PluginConfig, batch: dict[str, Any]) -> None:
        """Two policies built and run with the same seeds act alike.

        Repair: draw all randomness from the library's global generator or from a seeded one.
        """
        runs = []
        for _ in range(2):
            policy = self.make(config)
            seed_everything(1)
            runs.append([to_numpy(policy.select_action(self.observation(batch))) for _ in range(3)])
        assert all(np.array_equal(first, second) for first, second in zip(*runs, strict=True))

    def test_reset_forgets_the_episode(self, policy: Any, batch: dict[str, Any]) -> None:
        """After `reset` the policy acts as if it were new, whatever it saw before.

        Repair: clear queues, hidden states and ensembling weights in `reset`.
        """
        fresh, other = self.observation(batch), self.observation(rows(batch, slice(None, None, -1), 8))
        seed_everything(2)
        expected = to_numpy(policy.select_action(fresh))
        policy.reset()
        policy.select_action(other)
        policy.reset()
        seed_everything(2)
        assert np.array_equal(to_numpy(policy.select_action(fresh)), expected)

    def test_predicting_leaves_the_queue_alone(self, policy: Any, batch: dict[str, Any]) -> None:
        """`predict_action_chunk` between two `select_action` calls changes nothing.

        Repair: keep the action queue out of `predict_action_chunk`.
        """
        observation = self.observation(batch)
        seed_everything(3)
        expected = [to_numpy(policy.select_action(observation)) for _ in range(2)]
        policy.reset()
        seed_everything(3)
        first = to_numpy(policy.select_action(observation))
        twin = copy.deepcopy(policy)
        policy.predict_action_chunk(observation)
        seed_everything(4)
        second = to_numpy(policy.select_action(observation))
        seed_everything(4)
        assert np.array_equal(first, expected[0])
        assert np.array_equal(second, to_numpy(twin.select_action(observation)))

    def test_rows_do_not_influence_each_other(self, policy: Any, batch: dict[str, Any]) -> None:
        """A row gives the same chunk alone as in a batch of eight, within `tolerance`.

        Repair: use no statistics over the batch at inference; draw noise per row from the same generator state, or
        override `observation` to supply the noise.
        """
        observation = self.observation(batch)
        seed_everything(5)
        together = to_numpy(policy.predict_action_chunk(observation))[:1]
        seed_everything(5)
        alone = to_numpy(policy.predict_action_chunk(rows(observation, slice(0, 1), 8)))
        assert np.abs(together - alone).max() <= self.tolerance

    # --- learning ----------------------------------------------------------------------------------------------------

    def test_the_loss_is_a_finite_number(self, policy: Any, batch: dict[str, Any]) -> None:
        """`forward` returns a finite scalar and a mapping of its parts.

        Repair: reduce the loss over all axes; look for divisions by zero when everything is padding.
        """
        loss, parts = policy.forward(batch)
        assert to_numpy(loss).shape == ()
        assert math.isfinite(to_numpy(loss).item())
        assert isinstance(parts, dict)

    def test_every_parameter_learns(self, policy: Any, batch: dict[str, Any]) -> None:
        """Each trainable parameter receives a gradient from the loss.

        Repair: freeze what is not trained (`requires_grad_(False)`) or connect it to the loss.
        """
        if hasattr(policy, "train"):
            policy.train()
        loss, _ = policy.forward(batch)
        self.require("gradients", hasattr(loss, "backward"))
        loss.backward()
        dead = [name for name, value in policy.named_parameters() if value.requires_grad and value.grad is None]
        assert not dead

    def test_padding_does_not_count(self, policy: Any, batch: dict[str, Any]) -> None:
        """Actions behind the end of an episode do not influence the loss.

        Repair: mask the loss with `action_is_pad` and divide by the number of real steps.
        """
        self.require("padding", "action_is_pad" in batch)
        padded = batch["action_is_pad"]
        assert to_numpy(padded).any(), "let at least one step of the batch be padding"
        assert not to_numpy(padded).all()
        action = batch["action"]
        garbage = action.clone() if hasattr(action, "clone") else action.copy()
        garbage[padded] = 1e3
        losses = []
        for tried in (action, garbage):
            seed_everything(6)
            losses.append(to_numpy(policy.forward({**batch, "action": tried})[0]).item())
        assert losses[0] == losses[1]

    # --- weights -----------------------------------------------------------------------------------------------------

    def test_weights_survive_saving(self, config: PluginConfig, batch: dict[str, Any]) -> None:
        """A policy that took over another's weights acts exactly like it.

        Repair: register every tensor that matters as a parameter or buffer.
        """
        first = self.make(config)
        seed_everything(7)  # other initial weights than make() gives
        second = config.build()
        if hasattr(second, "eval"):
            second.eval()
        second.load_state_dict(first.state_dict())
        second.reset()
        assert not changed(snapshot(first.state_dict()), snapshot(second.state_dict()))
        seed_everything(8)
        expected = to_numpy(first.select_action(self.observation(batch)))
        seed_everything(8)
        assert np.array_equal(to_numpy(second.select_action(self.observation(batch))), expected)

    def test_a_missing_weight_is_an_error(self, policy: Any) -> None:
        """`load_state_dict` refuses a checkpoint that lacks a weight: no silent policy.

        Repair: load strictly; map old names to new ones before loading.
        """
        weights = dict(policy.state_dict())
        assert weights, "a policy without weights has nothing to load; contracts are for policies that learn"
        weights.pop(next(iter(weights)))
        with pytest.raises(Exception):  # noqa: B017, PT011 - torch raises RuntimeError, others their own
            policy.load_state_dict(weights)
