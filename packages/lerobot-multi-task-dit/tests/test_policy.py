"""The contract of policies that read, and what is particular to Multi-Task DiT."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tiny_clip import tiny_settings, write_tiny_tokenizer
from torch import nn

from lerobot.core.config.rtc import RTCConfig
from lerobot.core.errors import CheckpointError
from lerobot.multi_task_dit.config import MultiTaskDiTConfig
from lerobot.multi_task_dit.policy import MultiTaskDiTPolicy
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.checkpoint.adapters import make_adapter
from lerobot.policies.export.files import export
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.rtc.continuation import Continuation, ContinuesChunks
from lerobot.policies.testing import statistics
from lerobot.policies.vla.testing import LanguagePolicyContract

TOKENS, MASK = "observation.language.tokens", "observation.language.attention_mask"


def tiny_batch(rows: int = 8, steps: int = 2) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(5, 290, (rows, 12), generator=generator)
    tokens[:, 0], tokens[:, 9:] = 0, 1
    padding = torch.zeros(rows, 8, dtype=torch.bool)
    padding[0, 3:] = True
    return {
        "observation.images.front": torch.rand(rows, steps, 3, 36, 40, generator=generator),
        "observation.images.wrist": torch.rand(rows, steps, 3, 36, 40, generator=generator),
        "observation.state": torch.randn(rows, steps, 5, generator=generator),
        TOKENS: tokens,
        MASK: tokens != 1,
        "action": torch.randn(rows, 8, 4, generator=generator),
        "action_is_pad": padding,
    }


def newest(batch: dict[str, Any], step: int = -1) -> dict[str, Any]:
    """One step of the observations of a batch; what is said holds for all."""
    steps = {key: each[:, step] for key, each in batch.items() if key.startswith("observation") and each.ndim > 2}
    return {**steps, **{key: each for key, each in batch.items() if key.startswith("observation.language")}}


class DiTContract(LanguagePolicyContract):
    # Even where the loss of padded actions is left out, the network sees them.
    capabilities = frozenset({"export", "gradients"})

    @pytest.fixture
    def batch(self) -> dict[str, Any]:
        return {key: value for key, value in tiny_batch().items() if key != "action_is_pad"}

    def observation(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {**super().observation(batch), **newest(batch)}


class TestDiffusion(DiTContract):
    @pytest.fixture
    def config(self, clip: Path) -> MultiTaskDiTConfig:
        # Without noise on the way down, a row's actions do not depend on how many rows there are.
        return MultiTaskDiTConfig(**tiny_settings(clip, noise_scheduler_type="DDIM"))


class TestFlowMatching(DiTContract):
    @pytest.fixture
    def config(self, clip: Path) -> MultiTaskDiTConfig:
        learned = {"use_rope": False, "use_positional_encoding": True, "use_separate_rgb_encoder_per_camera": True}
        flow = {"objective": "flow_matching", "integration_method": "rk4"}
        return MultiTaskDiTConfig(**tiny_settings(clip, **learned, **flow))


# --- what is particular to it ----------------------------------------------------------------------------------------


def make(clip: Path, **changes: Any) -> MultiTaskDiTPolicy:
    torch.manual_seed(0)
    policy = MultiTaskDiTPolicy(MultiTaskDiTConfig(**tiny_settings(clip, **changes)))
    for parameter in policy.parameters():
        nn.init.normal_(parameter, std=0.2)
    return policy.eval()


def chunk(policy: MultiTaskDiTPolicy, batch: dict[str, Any]) -> torch.Tensor:
    torch.manual_seed(3)
    return policy.predict_action_chunk(batch)


@pytest.mark.parametrize("objective", ["diffusion", "flow_matching"])
def test_words_images_and_state_matter_and_padding_does_not(clip: Path, objective: str) -> None:
    policy = make(clip, objective=objective)
    expected = chunk(policy, tiny_batch())
    for key in (TOKENS, "observation.images.wrist", "observation.state"):
        batch = tiny_batch()
        batch[key] = batch[key].flip(0)
        assert (chunk(policy, batch) - expected).abs().max() > 1e-4, key
    batch = tiny_batch()
    batch[TOKENS][1, 10:] = 9
    assert torch.equal(chunk(policy, batch), expected)


class Readings:
    """Counts the texts that are read."""

    def __init__(self, policy: MultiTaskDiTPolicy) -> None:
        self.texts = 0
        policy.observation_encoder.text_encoder.text_encoder.register_forward_hook(self._count)

    def _count(self, _module: nn.Module, _given: Any, found: torch.Tensor) -> None:
        self.texts += len(found)


def test_each_task_is_read_once(clip: Path) -> None:
    policy, batch = make(clip), tiny_batch()
    readings = Readings(policy)
    batch[TOKENS][:6], batch[MASK][:6] = batch[TOKENS][0].clone(), batch[MASK][0].clone()
    expected = chunk(policy, batch)
    assert readings.texts == 3
    policy.train()
    policy.forward(batch)
    assert torch.equal(chunk(policy, batch), expected)
    assert readings.texts == 3


def test_a_task_is_read_again_once_the_encoder_has_changed(clip: Path) -> None:
    policy, other, batch = make(clip), make(clip), tiny_batch()
    with torch.no_grad():
        for parameter in other.observation_encoder.text_encoder.text_encoder.parameters():
            parameter.add_(torch.randn(parameter.shape))
    before, expected = chunk(policy, batch), chunk(other, batch)
    assert (before - expected).abs().max() > 1e-4
    policy.load_state_dict(other.state_dict())
    assert torch.equal(chunk(policy, batch), expected)
    policy.load_state_dict(make(clip).state_dict(), assign=True)
    assert torch.equal(chunk(policy, batch), before)


def test_what_was_read_while_acting_can_be_learned_from(clip: Path) -> None:
    policy, batch = make(clip), tiny_batch()
    with torch.inference_mode():
        chunk(policy, {key: each.clone() for key, each in batch.items()})
    policy.train()
    policy.forward(batch)[0].backward()
    assert policy.observation_encoder.text_encoder.projection.weight.grad is not None


@pytest.mark.parametrize("objective", ["diffusion", "flow_matching"])
def test_a_window_can_be_given_at_once_or_tick_by_tick(clip: Path, objective: str) -> None:
    policy, batch = make(clip, objective=objective), tiny_batch()
    expected = chunk(policy, batch)
    policy.reset()
    policy.select_action(newest(batch, 0))
    assert torch.allclose(chunk(policy, newest(batch, 1)), expected, atol=1e-5)


@pytest.mark.parametrize("objective", ["diffusion", "flow_matching"])
def test_the_loss_is_the_mean_over_real_steps(clip: Path, objective: str) -> None:
    """With a network that knows nothing the loss is the mean square of what is to be seen."""
    policy = make(clip, objective=objective, do_mask_loss_for_padding=True, sigma_min=0.1)
    nn.init.zeros_(policy.noise_predictor.output_proj.weight)
    nn.init.zeros_(policy.noise_predictor.output_proj.bias)
    batch = tiny_batch()
    torch.manual_seed(2)
    loss, _ = policy.forward(batch)
    torch.manual_seed(2)
    noise = torch.randn(8, 8, 4)
    goal = noise if objective == "diffusion" else batch["action"] - 0.9 * noise
    assert loss.item() == pytest.approx(goal[~batch["action_is_pad"]].square().mean().item(), rel=1e-5)


def test_times_end_before_the_data(clip: Path) -> None:
    actions = torch.zeros(4000, 1, 1)
    torch.manual_seed(0)
    drawn = make(clip, objective="flow_matching", timestep_sampling_s=0.9)._times(actions)
    # Of Beta(1.5, 1) the mean is 0.6, and time runs the other way.
    assert drawn.min() >= 0
    assert drawn.max() <= 0.9
    assert drawn.mean().item() == pytest.approx(0.9 * 0.4, abs=0.02)
    uniform = make(clip, objective="flow_matching", timestep_sampling_strategy="uniform")._times(actions)
    assert uniform.mean().item() == pytest.approx(0.5, abs=0.02)


def test_encoders_for_images_learn_slower(clip: Path) -> None:
    policy = make(clip, use_separate_rgb_encoder_per_camera=True)
    others, vision = policy.parameter_groups()
    assert vision["lr"] == pytest.approx(2e-6)
    names = {id(each): name for name, each in policy.named_parameters()}
    assert {names[id(each)] for each in vision["params"]} == {name for name in names.values() if "vision" in name}
    learned = {name for name, each in policy.named_parameters() if each.requires_grad and "vision" not in name}
    assert {names[id(each)] for each in others["params"]} == learned


@pytest.mark.parametrize("objective", ["diffusion", "flow_matching"])
def test_a_chunk_is_guided_where_it_continues(clip: Path, objective: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest observation is the second of the window, and entry 0 of the chunk."""
    policy = make(clip, objective=objective, prediction_type="sample", noise_scheduler_type="DDIM")
    # It sees actions of zero, or a velocity that leads from any noise to none.

    def network(noisy: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(noisy) if objective == "diffusion" else -noisy / (1 - time[0])

    monkeypatch.setattr(policy.noise_predictor, "under", lambda _observed: network)
    rtc = RTCConfig(prefix_attention_schedule="ZEROS", use_jacobian=False)
    going_on = Continuation(torch.ones(8, 3, 4), 1, rtc)
    found = policy.continue_action_chunk(newest(tiny_batch()), going_on)
    assert isinstance(policy, ContinuesChunks)
    assert (found[:, 0] > 0.01).all()
    assert found[:, 1:].abs().max() < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["diffusion", "flow_matching"])
def test_it_is_exported_for_a_task(clip: Path, objective: str, tmp_path: Path) -> None:
    policy = make(clip, objective=objective)
    trained = PolicyWithProcessors(policy, make_processors(policy.config, statistics(policy.config)))
    assert len(export(trained, tmp_path, formats=["pt2"], task="pick up the cube")) == 1


# --- weights ---------------------------------------------------------------------------------------------------------


def test_a_new_policy_begins_with_published_encoders(clip: Path, tmp_path: Path) -> None:
    policy = MultiTaskDiTPolicy(MultiTaskDiTConfig(**tiny_settings(clip, vision_size=None, text_size=None)))
    reference = transformers.CLIPModel.from_pretrained(clip).state_dict()
    encoder = policy.observation_encoder
    parts = {"vision_model.": encoder.vision_encoder.model, "text_model.": encoder.text_encoder.text_encoder}
    for prefix, part in parts.items():
        found = part.state_dict()
        assert set(found) == {name for name in reference if name.startswith(prefix)}
        assert all(torch.equal(each, reference[name]) for name, each in found.items())
    frozen = {name for name, each in policy.named_parameters() if not each.requires_grad}
    assert frozen == {name for name in policy.state_dict() if "text_model" in name or "post_layernorm" in name}
    # To load a trained one, nothing is fetched.
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip/config.json").write_bytes((clip / "config.json").read_bytes())
    write_tiny_tokenizer(tmp_path / "clip")
    config = MultiTaskDiTConfig(**tiny_settings(tmp_path / "clip", vision_size=None, text_size=None))
    config.build(from_scratch=False)
    with pytest.raises(CheckpointError, match=r"(?s)no model\.safetensors.*CLIPModel\.from_pretrained"):
        config.build()


@pytest.mark.parametrize("targets", [None, r".*(adaLN_modulation\.1|text_model.*q_proj|vision_model.*v_proj)"])
def test_adapters_learn_and_act(clip: Path, targets: str | None) -> None:
    policy, batch = make(clip), tiny_batch()
    named = [name for name, _ in policy.named_modules() if re.fullmatch(targets or policy.adapter_targets(), name)]
    assert len(named) == (2 * 5 + 3 if targets is None else 2 + 2 + 2)
    before = chunk(policy, batch)
    policy.adapter = make_adapter(policy, "base", target_modules=targets or policy.adapter_targets(), r=2)
    assert torch.allclose(chunk(policy, batch), before, atol=1e-5)
    optimizer = torch.optim.Adam(policy.parameter_groups(), lr=0.1)
    policy.train()
    for _ in range(2):
        optimizer.zero_grad()
        policy.forward(batch)[0].backward()
        optimizer.step()
    learned = [name for name, each in policy.named_parameters() if each.grad is not None and each.grad.abs().max() > 0]
    assert len(learned) == 2 * len(named)
    policy.eval()
    after = chunk(policy, batch)
    assert (after - before).abs().max() > 1e-4
    # What acts is what was learned.
    window = policy.window_with(batch)
    noisy, level = torch.randn(8, 8, 4), torch.full((8,), 3)
    condition = policy.condition(window)
    expected = policy.noise_predictor(noisy, level, condition)
    assert torch.allclose(policy.noise_predictor.under(condition)(noisy, level), expected, atol=1e-4)
