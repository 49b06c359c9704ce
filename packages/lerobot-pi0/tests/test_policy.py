"""The contract of policies, and what is particular to the pi models that act by flow matching."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_pi import tiny_settings

from lerobot.core.config.rtc import RTCConfig
from lerobot.core.errors import LeRobotError
from lerobot.pi0.config import PI0Config
from lerobot.pi0.pi05_config import PI05Config
from lerobot.pi0.policy import PiFlowPolicy
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.export.files import export
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.rtc.continuation import Continuation, ContinuesChunks
from lerobot.policies.testing import statistics
from lerobot.policies.vla.testing import VLAContract


def tiny_batch(rows: int = 8) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    mask = torch.ones(rows, 7, dtype=torch.bool)
    mask[1, 4:] = False
    return {
        "observation.images.front": torch.rand(rows, 3, 32, 40, generator=generator),
        "observation.images.wrist": torch.rand(rows, 3, 48, 33, generator=generator),
        "observation.state": torch.randn(rows, 5, generator=generator),
        "observation.language.tokens": torch.randint(5, 290, (rows, 7), generator=generator),
        "observation.language.attention_mask": mask,
        "action": torch.randn(rows, 6, 4, generator=generator),
    }


class TestContractOfPI0(VLAContract):
    capabilities = frozenset({"export", "gradients"})

    @pytest.fixture
    def config(self, tokenizer: Path) -> PI0Config:
        return PI0Config(**tiny_settings(tokenizer))

    @pytest.fixture
    def batch(self) -> dict[str, Any]:
        return tiny_batch()


class TestContractOfPI05(TestContractOfPI0):
    @pytest.fixture
    def config(self, tokenizer: Path) -> PI05Config:
        return PI05Config(**tiny_settings(tokenizer, tokenizer_max_length=80))


# --- what is particular to the pi models -----------------------------------------------------------------------------

CONFIGS = {"pi0": PI0Config, "pi05": PI05Config}


def make(name: str, tokenizer: Path, **changes: Any) -> PiFlowPolicy:
    torch.manual_seed(0)
    policy: PiFlowPolicy = CONFIGS[name](**tiny_settings(tokenizer, **changes)).build()
    for parameter in policy.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return policy


@pytest.fixture(params=CONFIGS)
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


UNSEEN = r"paligemma_with_expert\.(paligemma\.lm_head|gemma_expert\.lm_head)\..*|" + (
    r"paligemma_with_expert\.paligemma\.model\.language_model\."
    r"(norm|layers\.1\.(self_attn\.o_proj|mlp|post_attention_layernorm))\..*"
)


@pytest.mark.parametrize(
    ("changes", "frozen"),
    [
        ({}, UNSEEN),
        ({"freeze_vision_encoder": True}, rf"{UNSEEN}|paligemma_with_expert\.paligemma\.model\.vision_tower\..*"),
        ({"train_expert_only": True}, rf"{UNSEEN}|paligemma_with_expert\.paligemma\..*"),
    ],
)
def test_what_is_frozen_and_what_learns(name: str, tokenizer: Path, changes: dict[str, Any], frozen: str) -> None:
    policy = make(name, tokenizer, **changes)
    policy.forward(tiny_batch())[0].backward()
    for parameter_name, parameter in policy.named_parameters():
        learns = not re.fullmatch(rf"model\.({frozen})", parameter_name)
        assert (parameter.requires_grad, parameter.grad is not None) == (learns, learns), parameter_name


def test_recomputed_activations_give_the_same_gradients(name: str, tokenizer: Path) -> None:
    gradients = []
    for recomputed in (False, True):
        policy = make(name, tokenizer, gradient_checkpointing=recomputed).train()
        torch.manual_seed(1)
        policy.forward(tiny_batch())[0].backward()
        gradients.append([each.grad for each in policy.parameters() if each.grad is not None])
    assert all(torch.equal(*pair) for pair in zip(*gradients, strict=True))


@pytest.mark.parametrize(("kind", "projections"), [("pi0", 5), ("pi05", 2)])
def test_adapters_go_into_queries_and_values_of_the_expert(kind: str, projections: int, tokenizer: Path) -> None:
    policy = make(kind, tokenizer)
    found = [module for module, _ in policy.named_modules() if re.fullmatch(policy.adapter_targets(), module)]
    assert len(found) == 2 * 2 + projections
    assert all("gemma_expert" in module or module.count(".") == 1 for module in found)


def test_it_can_continue_chunks(name: str, tokenizer: Path) -> None:
    assert isinstance(make(name, tokenizer), ContinuesChunks)


def exported(name: str, tokenizer: Path, folder: Path) -> int:
    policy = make(name, tokenizer, tokenizer_max_length=80)
    trained = PolicyWithProcessors(policy, make_processors(policy.config, statistics(policy.config)))
    return len(export(trained, folder, formats=["pt2"], task="pick up the cube"))


@pytest.mark.slow
def test_pi0_is_exported_for_a_task(tokenizer: Path, tmp_path: Path) -> None:
    assert exported("pi0", tokenizer, tmp_path) == 1


def test_a_state_in_words_cannot_be_exported(tokenizer: Path, tmp_path: Path) -> None:
    with pytest.raises(LeRobotError, match="reads what it observes in words"):
        exported("pi05", tokenizer, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_loss_is_the_mean_over_steps_and_joints(name: str, tokenizer: Path) -> None:
    policy, batch = make(name, tokenizer), tiny_batch()
    noise, time = torch.randn(8, 6, 8), torch.rand(8)
    loss, said = policy.forward(batch, noise=noise, time=time)
    action = torch.nn.functional.pad(batch["action"], (0, 4))
    noisy = time[:, None, None] * noise + (1 - time[:, None, None]) * action
    expected = (noise - action - policy.model(policy._seen(batch), noisy, time))[..., :4].pow(2)
    assert loss.item() == pytest.approx(expected.mean().item(), abs=1e-5)
    assert said["loss_per_dim"] == pytest.approx(expected.mean(dim=(0, 1)).tolist(), abs=1e-5)


def test_what_is_kept_acts_like_what_is_learned_from(name: str, tokenizer: Path) -> None:
    """The prefix does not see the suffix, so that reading it once is the same."""
    policy, batch = make(name, tokenizer), tiny_batch()
    actions, time = torch.randn(8, 6, 8), torch.rand(8)
    found = policy.velocity(policy.observe(batch), actions, time)
    assert torch.allclose(found, policy.model(policy._seen(batch), actions, time), atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "seen"),
    [("pi0", ["tokens", "images.wrist", "state"]), ("pi05", ["tokens", "images.wrist"])],
)
def test_words_images_and_state_matter_and_padding_does_not(kind: str, seen: list[str], tokenizer: Path) -> None:
    policy, noise = make(kind, tokenizer), torch.randn(8, 6, 8)
    chunk = policy.predict_action_chunk(tiny_batch(), noise=noise)
    for key in (f"observation.{each}".replace("n.tokens", "n.language.tokens") for each in seen):
        batch = tiny_batch()
        batch[key] = batch[key].flip(0)
        assert (policy.predict_action_chunk(batch, noise=noise) - chunk).abs().max() > 1e-5, key
    batch = tiny_batch()
    batch["observation.language.tokens"][1, 4:] = 9
    assert torch.equal(policy.predict_action_chunk(batch, noise=noise), chunk)


# --- trained for delays ----------------------------------------------------------------------------------------------


def test_actions_that_are_given_do_not_count_and_carry_no_noise(tokenizer: Path) -> None:
    policy, batch = make("pi05", tokenizer, rtc_training_max_delay=3), tiny_batch()
    noise, time = torch.randn(8, 6, 8), torch.rand(8)
    torch.manual_seed(3)
    loss, _ = policy.forward(batch, noise=noise, time=time)
    torch.manual_seed(3)
    delays = torch.randint(0, 4, (8,))
    assert len(set(delays.tolist())) > 1
    times = time[:, None].repeat(1, 6)
    for row, delay in enumerate(delays):
        times[row, :delay] = 0
    action = torch.nn.functional.pad(batch["action"], (0, 4))
    noisy = times[..., None] * noise + (1 - times[..., None]) * action
    error = (noise - action - policy.model(policy._seen(batch), noisy, times))[..., :4].pow(2)
    expected = torch.cat([error[row, delay:].flatten() for row, delay in enumerate(delays)]).mean()
    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)


def test_a_chunk_begins_with_the_actions_that_are_given(tokenizer: Path) -> None:
    policy, noise = make("pi05", tokenizer, rtc_training_max_delay=3), torch.randn(8, 6, 8)
    assert policy.rtc_modes == {"guided", "trained"}
    plain = policy.predict_action_chunk(tiny_batch(), noise=noise)
    previous, settings = torch.randn(8, 5, 4), RTCConfig(mode="trained")
    chunk = policy.continue_action_chunk(tiny_batch(), Continuation(previous, 2, settings), noise=noise)
    assert torch.equal(chunk[:, :2], previous[:, :2])
    assert (chunk[:, 2:] - plain[:, 2:]).abs().max() > 1e-4
    free = policy.continue_action_chunk(tiny_batch(), Continuation(previous, 0, settings), noise=noise)
    assert torch.allclose(free, plain, atol=1e-5)
    with pytest.raises(LeRobotError, match="trained for 3"):
        policy.continue_action_chunk(tiny_batch(), Continuation(previous, 4, settings), noise=noise)
    assert make("pi05", tokenizer).rtc_modes == {"guided"}


# --- published files -------------------------------------------------------------------------------------------------

TABLE = "model.paligemma_with_expert.paligemma.model.language_model.embed_tokens.weight"
HEAD = "model.paligemma_with_expert.paligemma.lm_head.weight"


@pytest.fixture
def saved(name: str, tokenizer: Path, tmp_path: Path) -> Path:
    policy = make(name, tokenizer, tokenizer_max_length=80)
    processors = make_processors(policy.config, statistics(policy.config))
    PolicyWithProcessors(policy, processors).save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


def test_names_of_openpi_are_understood(name: str, saved: Path) -> None:
    """No "model." before them, the other family's name for the time's layers, and one table for two."""
    weights = load_file(saved / "model.safetensors")
    old, new = ("action_time_mlp", "time_mlp") if name == "pi0" else ("time_mlp", "action_time_mlp")
    given = {key.removeprefix("model.").replace(old, new): each for key, each in weights.items() if key != TABLE}
    if name == "pi05":
        given["state_proj.weight"] = torch.zeros(24, 8)
    save_file(given, saved / "model.safetensors")
    loaded = PreTrainedPolicy.from_pretrained(saved).state_dict()
    assert torch.equal(loaded.pop(TABLE), weights[HEAD])
    assert all(torch.equal(each, weights[key]) for key, each in loaded.items())


def test_a_table_that_two_names_share_survives_training_and_saving(name: str, saved: Path, tmp_path: Path) -> None:
    weights = load_file(saved / "model.safetensors")
    del weights[TABLE]
    save_file(weights, saved / "model.safetensors")
    policy = PreTrainedPolicy.from_pretrained(saved)
    optimizer = torch.optim.AdamW(policy.parameter_groups(), lr=1e-2)
    policy.forward(tiny_batch())[0].backward()
    optimizer.step()
    policy.save_pretrained(tmp_path / "again")
    again = PreTrainedPolicy.from_pretrained(tmp_path / "again")
    assert torch.equal(again.state_dict()[TABLE], policy.state_dict()[TABLE])
    assert not torch.equal(policy.state_dict()[TABLE], weights[HEAD])


def test_relative_actions_come_back_absolute(name: str, tokenizer: Path) -> None:
    names = ["base", "elbow", "wrist", "gripper"]
    relative = {"use_relative_actions": True, "action_feature_names": names}
    config = CONFIGS[name](**tiny_settings(tokenizer, **relative))
    processors = make_processors(config, statistics(config))
    observation = {key: each for key, each in tiny_batch().items() if key.startswith("observation.i")}
    state = torch.randn(8, 5)
    given = {**observation, "observation.state": state, "task": ["go"] * 8, "action": state[:, None, :4].clone()}
    batch = processors.preprocessor(given)
    # Where the robot is already, a relative action is zero, but for the gripper, which stays absolute.
    assert torch.equal(batch["action"][..., :3], batch["action"][:1, :, :3].expand(8, 1, 3))
    assert torch.allclose(processors.postprocessor(batch["action"][:, 0]), state[:, :4], atol=1e-5)
