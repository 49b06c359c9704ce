"""The contract of policies, and what is particular to TD-MPC."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lerobot.core.errors import CheckpointError, FeatureMismatchError, LeRobotError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.export.program import require_exportable
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.testing import TrainablePolicyContract, statistics
from lerobot.tdmpc.config import TDMPCConfig
from lerobot.tdmpc.policy import TDMPCPolicy

TINY: dict[str, Any] = {
    "input_features": {
        "observation.image": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 40, 40)),
        "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(3,)),
        "observation.environment_state": PolicyFeature(type=FeatureType.ENV, shape=(2,)),
    },
    "output_features": {"action": PolicyFeature(type=FeatureType.ACTION, shape=(2,))},
    "device": "cpu",
    "horizon": 3,
    "image_encoder_hidden_dim": 4,
    "state_encoder_hidden_dim": 8,
    "latent_dim": 6,
    "q_ensemble_size": 3,
    "mlp_dim": 16,
    "n_gaussian_samples": 16,
    "n_pi_samples": 4,
    "n_elites": 5,
    "cem_iterations": 2,
}
STATE_ALONE = {**TINY, "input_features": {"observation.state": TINY["input_features"]["observation.state"]}}


def tiny_batch(config: TDMPCConfig, rows: int = 8) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    steps = config.horizon
    found: dict[str, Any] = {
        key: torch.rand(rows, steps + 1, *feature.shape, generator=generator)
        for key, feature in config.input_features.items()
    }
    found["action"] = torch.rand(rows, steps, 2, generator=generator) * 2 - 1
    found["next.reward"] = torch.rand(rows, steps, generator=generator)
    for key, count in (("observation.state", steps + 1), ("action", steps), ("next.reward", steps)):
        found[f"{key}_is_pad"] = torch.zeros(rows, count, dtype=torch.bool)
        # The first row's episode ends with its first action.
        found[f"{key}_is_pad"][0, 1:] = True
    return found


def make(**changes: Any) -> TDMPCPolicy:
    torch.manual_seed(0)
    policy = TDMPCPolicy(TDMPCConfig(**{**TINY, **changes})).eval()
    with torch.no_grad():
        for parameter in policy.parameters():
            # Rewards and values begin at 0, and the slow copy as the other.
            parameter += 0.2 * torch.randn_like(parameter)
    policy.reset()
    return policy


def first(batch: dict[str, Any]) -> dict[str, Any]:
    return {key: value[:, 0] for key, value in batch.items() if key.startswith("observation") and "_is_pad" not in key}


class TestContract(TrainablePolicyContract):
    """Planning, from few plans that hardly spread: those of all rows are drawn at once, so a row has other draws alone.

    What is left is a choice, in each row, between what the policy proposes and to do nothing.
    """

    capabilities = frozenset({"gradients", "padding"})

    @pytest.fixture
    def config(self) -> TDMPCConfig:
        return TDMPCConfig(**{**TINY, "max_std": 1e-6, "min_std": 0.0, "n_elites": 1, "q_ensemble_size": 2})

    @pytest.fixture
    def batch(self, config: TDMPCConfig) -> dict[str, Any]:
        return tiny_batch(config)

    def make(self, config: Any) -> TDMPCPolicy:
        return make(**config.model_dump())

    def observation(self, batch: dict[str, Any]) -> dict[str, Any]:
        return first(batch)


class TestContractOfTheLearnedPolicy(TrainablePolicyContract):
    """Without planning, from states alone."""

    capabilities = frozenset({"gradients", "padding"})

    @pytest.fixture
    def config(self) -> TDMPCConfig:
        return TDMPCConfig(**{**STATE_ALONE, "use_mpc": False})

    @pytest.fixture
    def batch(self, config: TDMPCConfig) -> dict[str, Any]:
        return tiny_batch(config)

    def observation(self, batch: dict[str, Any]) -> dict[str, Any]:
        return first(batch)


# --- acting ----------------------------------------------------------------------------------------------------------


def test_rows_plan_for_themselves() -> None:
    """With the same draws, a plan is the same whatever is beside it."""
    policy, chunks = make(), []
    batch = first(tiny_batch(policy.config))
    for order in (list(range(8)), [0, *range(7, 0, -1)]):
        torch.manual_seed(5)
        chunks.append(policy.predict_action_chunk({key: value[order] for key, value in batch.items()}))
    assert not torch.allclose(chunks[0][1:], chunks[1][1:], atol=1e-2)
    assert torch.allclose(chunks[0][0], chunks[1][0], atol=1e-5)


def test_plans_depend_on_the_seed_and_the_episode_alone() -> None:
    acted = []
    policy = make(n_action_repeats=1)
    for seed in (1, 1, 2):
        policy.reset()
        torch.manual_seed(seed)
        acted.append(torch.stack([policy.select_action(first(tiny_batch(policy.config))) for _ in range(3)]))
    assert torch.equal(acted[0], acted[1])
    assert not torch.equal(acted[0], acted[2])


@pytest.mark.parametrize(("repeats", "steps"), [(1, 1), (3, 1), (1, 2)])
def test_it_plans_when_no_action_waits(repeats: int, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    policy, planned = make(n_action_repeats=repeats, n_action_steps=steps), []
    plan = policy._plan

    def watched(batch: Any) -> Any:
        planned.append(plan(batch))
        return planned[-1]

    monkeypatch.setattr(policy, "_plan", watched)
    observation = first(tiny_batch(policy.config))
    acted = [policy.select_action(observation) for _ in range(6)]
    assert len(planned) == 6 // max(repeats, steps)
    for tick, action in enumerate(acted):
        chunk = planned[tick // max(repeats, steps)].actions.clamp(-1, 1)
        assert torch.equal(action, chunk[0 if repeats > 1 else tick % steps])


def test_a_plan_follows_the_one_before_and_no_prediction() -> None:
    policy = make(n_action_repeats=1)
    observation = first(tiny_batch(policy.config))
    policy.select_action(observation)
    assert policy._mean is not None
    kept = policy._mean.clone()
    policy.predict_action_chunk(observation)
    assert torch.equal(policy._mean, kept)
    policy.reset()
    assert policy._mean is None


def test_half_precision_plans_as_well(tmp_path: Path) -> None:
    policy = make()
    policy.save_pretrained(tmp_path)
    few_bits = PreTrainedPolicy.from_pretrained(tmp_path, config=policy.config.model_copy(update={"dtype": "bfloat16"}))
    with torch.inference_mode(), few_bits.precision():
        action = few_bits.select_action(first(tiny_batch(policy.config)))
    assert torch.isfinite(action).all()
    assert action.abs().max() <= 1


def test_it_is_not_exported() -> None:
    """A plan is drawn at random, and follows the one before."""
    with pytest.raises(LeRobotError, match="policy 'tdmpc' cannot be exported"):
        require_exportable(make())


# --- learning --------------------------------------------------------------------------------------------------------


def test_the_loss_is_that_of_the_papers() -> None:
    """Row by row and step by step, in numpy: equations 1 to 3 and section 3.1 of arXiv:2310.16029."""
    policy = make(max_random_shift_ratio=0.0, input_features=STATE_ALONE["input_features"]).train()
    config, model, slow = policy.config, policy.model, policy.model_target
    batch = tiny_batch(config)
    batch["next.reward_is_pad"][1, 2] = True
    np.random.seed(3)
    loss, parts = policy.forward(batch)
    np.random.seed(3)
    pairs = [np.random.choice(3, size=2) for _ in range(2)]
    wanted = dict.fromkeys(("consistency_loss", "reward_loss", "Q_value_loss", "V_value_loss", "pi_loss"), 0.0)
    with torch.no_grad():
        for row in range(8):
            states = {"observation.state": batch["observation.state"][row]}
            latent, reached, real = model.encode(states)[0], slow.encode(states), model.encode(states)
            for step in range(3):
                action, reward = batch["action"][row, step], batch["next.reward"][row, step]
                after, expected = model.step(latent, action)
                values, slow_values = model.values(latent, action), slow.values(latent, action)
                low = [float(slow_values[pair.tolist()].min()) for pair in pairs]
                value = float(model.value(latent))
                returns = float(reward + config.discount * model.value(real[step + 1]))
                count = 0.5**step * float(not batch["action_is_pad"][row, step]) / 8
                rewarded = float(not batch["next.reward_is_pad"][row, step])
                followed = float(not batch["observation.state_is_pad"][row, step + 1])
                missing = low[0] - value
                wanted["consistency_loss"] += count * followed * float((after - reached[step + 1]).square().mean())
                wanted["reward_loss"] += count * rewarded * float((expected - reward).square())
                wanted["Q_value_loss"] += count * rewarded * followed * float((values - returns).square().sum())
                wanted["V_value_loss"] += count * (0.9 if missing > 0 else 1 - 0.9) * missing**2
                error = float((model.act(latent) - action).square().sum())
                wanted["pi_loss"] += count / 3 * min(np.exp(3 * (low[1] - value)), 100.0) * error
                latent = after
    for name, value in wanted.items():
        assert parts[name].item() == pytest.approx(value, rel=1e-4), name
    coefficients = (20.0, 0.5, 0.1, 0.1, 0.5)
    total = sum(weight * value for weight, value in zip(coefficients, wanted.values(), strict=True))
    assert loss.item() == pytest.approx(total, rel=1e-4)
    assert parts["sum_loss"].item() == pytest.approx(3 * total, rel=1e-4)


def test_pictures_are_shifted_while_learning_alone() -> None:
    policy = make(max_random_shift_ratio=0.1)
    batch, losses = tiny_batch(policy.config), []
    for learning, seed in ((False, 0), (False, 1), (True, 0), (True, 1)):
        torch.manual_seed(seed)
        np.random.seed(0)
        losses.append(policy.train(learning).forward(batch)[0].item())
    assert losses[0] == losses[1]
    assert len({losses[0], losses[2], losses[3]}) == 3


def test_the_slow_copy_follows_and_learns_nothing_itself() -> None:
    policy = make(target_model_momentum=0.9)
    before = {name: value.clone() for name, value in policy.model_target.state_dict().items()}
    policy.update()
    for name, value in policy.model_target.state_dict().items():
        assert torch.allclose(value, 0.9 * before[name] + 0.1 * policy.model.state_dict()[name], atol=1e-6), name
    assert {id(each) for each in policy.parameter_groups()} == {id(each) for each in policy.model.parameters()}
    policy.train().forward(tiny_batch(policy.config))[0].backward()
    assert all(parameter.grad is None for parameter in policy.model_target.parameters())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("action", torch.zeros(8, 2, 2)),
        ("observation.state", torch.zeros(8, 3)),
        ("observation.state_is_pad", None),
        ("next.reward", None),
        ("next.reward", 0.0),
        ("next.reward_is_pad", None),
    ],
)
def test_a_batch_without_windows_is_refused(key: str, value: Any) -> None:
    policy = make()
    batch = tiny_batch(policy.config)
    batch.pop(key)
    if value is not None:
        batch[key] = value
    with pytest.raises(FeatureMismatchError, match=f"the batch has .*'{key}'"):
        policy.forward(batch)


# --- checkpoints -----------------------------------------------------------------------------------------------------


def test_a_trained_policy_comes_back_from_its_folder(tmp_path: Path) -> None:
    policy = make()
    PolicyWithProcessors(policy, make_processors(policy.config, statistics(policy.config))).save_pretrained(tmp_path)
    again = PolicyWithProcessors.from_pretrained(tmp_path).policy
    assert not any(parameter.requires_grad for parameter in again.get_submodule("model_target").parameters())
    observation = first(tiny_batch(policy.config))
    torch.manual_seed(1)
    expected = policy.predict_action_chunk(observation)
    torch.manual_seed(1)
    assert torch.equal(again.predict_action_chunk(observation), expected)
    assert json.loads((tmp_path / "config.json").read_text())["type"] == "tdmpc"


def test_weights_of_another_policy_are_refused(tmp_path: Path) -> None:
    make().save_pretrained(tmp_path)
    changed = make(q_ensemble_size=4).config
    with pytest.raises(CheckpointError, match=r"_Qs\.3"):
        PreTrainedPolicy.from_pretrained(tmp_path, config=changed)
