"""A third-party policy and environment: made, trained, saved and evaluated by the code that does so for ours."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lerobot.policies.assembly")

from lerobot.core.config import load  # noqa: E402
from lerobot.core.config.base import CommandConfig  # noqa: E402
from lerobot.core.errors import ConfigError  # noqa: E402
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors  # noqa: E402
from lerobot.policies.config import PreTrainedConfig  # noqa: E402
from lerobot.policies.features import FeatureType, PolicyFeature  # noqa: E402

pytestmark = pytest.mark.usefixtures("third_party")

PROVIDED = {
    "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(3,)),
    "action": PolicyFeature(type=FeatureType.ACTION, shape=(2,)),
}
STATS = {
    "observation.state": {"mean": torch.tensor([1.0, 2.0, 3.0]), "std": torch.tensor([2.0, 2.0, 2.0])},
    "action": {"mean": torch.tensor([10.0, 20.0]), "std": torch.tensor([1.0, 5.0])},
}


@pytest.fixture
def trained(config: Callable[..., Any]) -> PolicyWithProcessors:
    policy = make_policy(config("policy", "crumbs", device="cpu"), PROVIDED)
    return PolicyWithProcessors(policy, make_pre_post_processors(policy.config, STATS))


def test_its_configuration_is_one_of_ours_and_has_the_plugins_fields(config: Callable[..., Any]) -> None:
    made = config("policy", "crumbs", chunk_size=6)
    assert isinstance(made, PreTrainedConfig)
    assert (list(made.action_delta_indices), made.executed_steps, made.unlearned_last_frames) == ([*range(6)], 2, 3)
    assert made.norm_map[FeatureType.STATE] == "MEAN_STD"
    with pytest.raises(ValueError, match="9 steps cannot be executed of 4"):
        config("policy", "crumbs", n_action_steps=9)


def test_what_it_cannot_take_is_refused_by_its_own_check(config: Callable[..., Any]) -> None:
    blind = {"action": PROVIDED["action"], "observation.environment_state": PolicyFeature(type="ENV", shape=(3,))}
    with pytest.raises(ValueError, match="crumbs needs observation"):
        make_policy(config("policy", "crumbs"), blind)


def test_it_learns_and_chooses_actions_in_the_robots_units(trained: PolicyWithProcessors) -> None:
    state = torch.tensor([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    batch = trained.processors.preprocessor({"observation.state": state, "action": torch.zeros(2, 4, 2)})
    assert torch.equal(batch["observation.state"], (state - STATS["observation.state"]["mean"]) / 2.0)
    loss, parts = trained.policy.forward(batch)
    assert loss.item() > 0
    assert parts == {}
    optimizer = torch.optim.SGD(trained.policy.parameter_groups(), lr=0.1)
    loss.backward()
    optimizer.step()
    assert trained.policy.forward(batch)[0] < loss
    with torch.no_grad():
        observation = trained.processors.preprocessor({"observation.state": torch.tensor([1.0, 2.0, 3.0])})
        action = trained.processors.postprocessor(trained.policy.select_action(observation))
        bias = trained.policy.layer.bias[:2]
    assert torch.allclose(action[0], bias * STATS["action"]["std"] + STATS["action"]["mean"])


def test_it_is_saved_and_loaded_by_its_registered_name(trained: PolicyWithProcessors, tmp_path: Path) -> None:
    trained.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["type"] == "crumbs"
    loaded = PolicyWithProcessors.from_pretrained(tmp_path)
    assert type(loaded.policy).__name__ == "CrumbsPolicy"
    for name, value in trained.policy.state_dict().items():
        assert torch.equal(loaded.policy.state_dict()[name], value)
    state = {"observation.state": torch.tensor([0.5, 0.0, 9.0])}
    first, second = (
        each.processors.postprocessor(each.policy.select_action(each.processors.preprocessor(dict(state))))
        for each in (trained, loaded)
    )
    assert torch.equal(first, second)


def test_it_is_chosen_on_the_command_line_by_name_and_by_folder(trained: PolicyWithProcessors, tmp_path: Path) -> None:
    class Command(CommandConfig):
        policy: PreTrainedConfig

    chosen = load(Command, ["--policy.type=crumbs", "--policy.optimizer_lr=0.5"]).config.policy
    assert chosen.optimizer_lr == 0.5
    trained.save_pretrained(tmp_path)
    assert load(Command, [f"--policy.path={tmp_path}", "--policy.n_action_steps=1"]).config.policy.n_action_steps == 1
    with pytest.raises(ConfigError, match="cannot be executed"):
        load(Command, ["--policy.type=crumbs", "--policy.chunk_size=1"])


def test_its_environment_is_played(config: Callable[..., Any]) -> None:
    assembly = pytest.importorskip("lerobot.envs.assembly")
    env = assembly.make_env(config("env", "crumbs", start=0.5))
    observation, _ = env.reset(seed=0)
    assert observation["agent_pos"].tolist() == [0.5, 0.5]
    *_, info = env.step([-1.0, -1.0])
    assert info == {"ended": True, "is_success": True, "truncated": False}
    env.close()
