"""The contract of policies, and what is particular to Diffusion Policy."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from lerobot.core.config.rtc import RTCConfig
from lerobot.core.errors import FeatureMismatchError
from lerobot.diffusion.config import DiffusionConfig
from lerobot.diffusion.policy import DiffusionPolicy
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.denoising.noise import NoiseSchedule
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.rtc.continuation import Continuation, ContinuesChunks
from lerobot.policies.rtc.guidance import Guidance
from lerobot.policies.testing import TrainablePolicyContract

STATE = PolicyFeature(type=FeatureType.STATE, shape=(6,))
PICTURE = PolicyFeature(type=FeatureType.VISUAL, shape=(3, 70, 80))
ENVIRONMENT = PolicyFeature(type=FeatureType.ENV, shape=(3,))

TINY: dict[str, Any] = {
    "input_features": {"observation.state": STATE, "observation.images.top": PICTURE},
    "output_features": {"action": PolicyFeature(type=FeatureType.ACTION, shape=(4,))},
    "device": "cpu",
    "n_obs_steps": 2,
    "horizon": 8,
    "n_action_steps": 3,
    "crop_shape": (64, 65),
    "pretrained_backbone_weights": None,
    "spatial_softmax_num_keypoints": 4,
    "down_dims": (8, 16),
    "diffusion_step_embed_dim": 8,
    "num_train_timesteps": 6,
    "do_mask_loss_for_padding": True,
}


def tiny_batch(rows: int = 8, seed: int = 0, horizon: int = 8) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seed)
    padding = torch.zeros(rows, horizon, dtype=torch.bool)
    padding[0, 2:] = True
    return {
        "observation.state": torch.randn(rows, 2, 6, generator=generator),
        "observation.images.top": torch.rand(rows, 2, 3, 70, 80, generator=generator),
        "observation.environment_state": torch.randn(rows, 2, 3, generator=generator),
        "action": torch.randn(rows, horizon, 4, generator=generator),
        "action_is_pad": padding,
    }


class TestContract(TrainablePolicyContract):
    # Even where the loss of padded actions is left out, the network sees them.
    capabilities = frozenset({"export", "gradients"})

    @pytest.fixture
    def config(self) -> DiffusionConfig:
        # Without noise on the way down, a row's actions do not depend on how many rows there are.
        return DiffusionConfig(**{**TINY, "noise_scheduler_type": "DDIM", "do_mask_loss_for_padding": False})

    @pytest.fixture
    def batch(self) -> dict[str, Any]:
        return {key: value for key, value in tiny_batch().items() if key != "action_is_pad"}

    def observation(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {key: value[:, -1] for key, value in batch.items() if key.startswith("observation")}


class TestContractWithoutPictures(TestContract):
    @pytest.fixture
    def config(self) -> DiffusionConfig:
        inputs = {"observation.state": STATE, "observation.environment_state": ENVIRONMENT}
        settings = {"noise_scheduler_type": "DDIM", "do_mask_loss_for_padding": False, "input_features": inputs}
        return DiffusionConfig(**{**TINY, **settings})


# --- what is particular to Diffusion Policy --------------------------------------------------------------------------


def make(**changes: Any) -> DiffusionPolicy:
    torch.manual_seed(0)
    return DiffusionPolicy(DiffusionConfig(**{**TINY, **changes})).eval()


def newest(batch: dict[str, Any]) -> dict[str, Any]:
    return {key: value[:, -1] for key, value in batch.items() if key.startswith("observation")}


def test_the_network_for_pusht_has_the_published_parameters() -> None:
    """Count and entries of huggingface/lerobot's network with the settings of lerobot/diffusion_pusht."""
    config = DiffusionConfig(
        input_features={
            "observation.image": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 96, 96)),
            "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(2,)),
        },
        output_features={"action": PolicyFeature(type=FeatureType.ACTION, shape=(2,))},
        horizon=16,
        n_action_steps=8,
        crop_shape=(84, 84),
        use_group_norm=True,
        pretrained_backbone_weights=None,
        use_separate_rgb_encoder_per_camera=False,
    )
    with torch.device("meta"):
        policy = DiffusionPolicy(config)
    assert len(policy.state_dict()) == 213
    assert sum(parameter.numel() for parameter in policy.parameters()) == 262_709_026
    assert policy.state_dict()["diffusion.rgb_encoder.pool.pos_grid"].shape == (9, 2)


def test_the_first_observation_stands_for_those_before_it() -> None:
    policy, batch = make(), tiny_batch()
    first, second = newest(tiny_batch(seed=1)), newest(tiny_batch(seed=2))
    for seen, expected in (([first], (first, first)), ([first, second], (first, second))):
        policy.reset()
        for each in seen[:-1]:
            policy.select_action(each)
        window = {key: torch.stack([frame[key] for frame in expected], dim=1) for key in first}
        torch.manual_seed(3)
        chunk = policy.predict_action_chunk(seen[-1])
        torch.manual_seed(3)
        assert torch.equal(chunk, policy.predict_action_chunk(window))
    assert chunk.shape == (8, 3, *batch["action"].shape[2:])


def test_actions_begin_at_the_newest_observation() -> None:
    """Of the horizon, which begins with the oldest observation, the actions before the present are left out."""
    policy, batch = make(), tiny_batch()
    torch.manual_seed(3)
    horizon = policy.diffusion.sample(policy.condition(batch))
    torch.manual_seed(3)
    assert torch.equal(policy.predict_action_chunk(batch), horizon[:, 1:4])


def test_padding_counts_only_where_it_is_not_masked() -> None:
    batch = tiny_batch()
    losses = []
    for masked in (True, False):
        policy = make(do_mask_loss_for_padding=masked)
        torch.manual_seed(4)
        errors = policy.diffusion.error(batch["action"], policy.condition(batch))
        torch.manual_seed(4)
        losses.append(policy.forward(batch)[0])
        assert torch.allclose(losses[-1], errors[~batch["action_is_pad"]].mean() if masked else errors.mean())
    assert losses[0] != losses[1]


def test_cameras_share_a_network_and_its_window_where_asked() -> None:
    inputs = {**TINY["input_features"], "observation.images.side": PICTURE}
    batch = tiny_batch()
    # Both cameras see the same, but for what lies outside any single window.
    batch["observation.images.side"] = batch["observation.images.top"]
    shared = make(input_features=inputs, use_separate_rgb_encoder_per_camera=False, use_group_norm=True).train()
    separate = make(input_features=inputs, use_group_norm=True).train()
    assert len(separate.state_dict()) > len(shared.state_dict())
    pictures = [batch["observation.images.top"].flatten(0, 1)] * 2
    assert torch.equal(*shared.diffusion._points(pictures))
    assert not torch.equal(*separate.diffusion._points(pictures))


@pytest.mark.parametrize(
    ("key", "value"),
    [("action", torch.zeros(8, 4)), ("action_is_pad", None), ("observation.state", torch.zeros(8, 6))],
)
def test_a_batch_without_windows_is_refused(key: str, value: Any) -> None:
    batch = tiny_batch()
    batch.pop(key)
    if value is not None:
        batch[key] = value
    with pytest.raises(FeatureMismatchError, match=f"the batch has .*'{key}'"):
        make().forward(batch)


@pytest.mark.parametrize(
    "changes",
    [
        {"input_features": {"observation.state": STATE}},
        {"input_features": {"observation.images.top": PICTURE}},
        {"output_features": {"action.arm": PolicyFeature(type=FeatureType.ACTION, shape=(6,))}},
        {"crop_shape": (71, 70)},
        {
            "input_features": {
                **TINY["input_features"],
                "observation.images.side": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 70, 81)),
            }
        },
        {
            "input_features": {
                "observation.state": STATE,
                "observation.images.depth": PolicyFeature(type=FeatureType.VISUAL, shape=(1, 70, 80)),
            }
        },
    ],
)
def test_features_it_cannot_work_with_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(FeatureMismatchError):
        make(**changes)


def test_it_learns_to_repeat_two_demonstrations() -> None:
    inputs = {"observation.state": STATE, "observation.environment_state": ENVIRONMENT}
    settings = {"down_dims": (32, 32), "do_mask_loss_for_padding": False, "prediction_type": "sample"}
    policy = make(input_features=inputs, **settings).train()
    batch = {**tiny_batch(rows=2), "action": torch.rand(2, 8, 4) * 1.6 - 0.8}
    optimizer = torch.optim.Adam(policy.parameters(), lr=2e-3)
    many = {key: value.repeat_interleave(8, dim=0) for key, value in batch.items()}
    for _ in range(100):
        loss, _ = policy.forward(many)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    error = (policy.predict_action_chunk(batch) - batch["action"][:, 1:4]).abs().mean()
    assert error < 0.3 * batch["action"].abs().mean()


STATS = {
    key: {"mean": torch.zeros(size) + 0.5, "std": torch.ones(size), "min": -torch.ones(size), "max": torch.ones(size)}
    for key, size in (("observation.state", 6), ("observation.images.top", 3), ("action", 4))
}


def test_a_trained_policy_comes_back_from_its_folder(tmp_path: Path) -> None:
    policy = make()
    PolicyWithProcessors(policy, make_processors(policy.config, STATS)).save_pretrained(tmp_path)
    again = PolicyWithProcessors.from_pretrained(tmp_path)
    batch = tiny_batch()
    torch.manual_seed(1)
    expected = policy.predict_action_chunk(batch)
    torch.manual_seed(1)
    assert torch.equal(again.policy.predict_action_chunk(batch), expected)
    assert json.loads((tmp_path / "config.json").read_text())["type"] == "diffusion"


def test_checkpoints_from_before_processors_had_files_load(tmp_path: Path) -> None:
    """Statistics among the weights, under the names of huggingface/lerobot up to 0.3."""
    policy = make()
    now, old = tmp_path / "now", tmp_path / "old"
    PolicyWithProcessors(policy, make_processors(policy.config, STATS)).save_pretrained(now)
    old.mkdir()
    (old / "config.json").write_bytes((now / "config.json").read_bytes())
    weights = load_file(now / "model.safetensors")
    names = {"observation.state": ("min", "max"), "observation.images.top": ("mean", "std"), "action": ("min", "max")}
    for key, needed in names.items():
        modules = ("normalize_targets", "unnormalize_outputs") if key == "action" else ("normalize_inputs",)
        for module in modules:
            buffers = {f"{module}.buffer_{key.replace('.', '_')}.{name}": STATS[key][name] for name in needed}
            weights |= {
                name: value[:, None, None] if "images" in key else value.clone() for name, value in buffers.items()
            }
    save_file(weights, old / "model.safetensors")
    observation = newest(tiny_batch())
    actions = []
    for folder in (now, old):
        pair = PolicyWithProcessors.from_pretrained(folder)
        torch.manual_seed(1)
        processed = pair.processors.preprocessor(observation)
        actions.append(pair.processors.postprocessor(pair.policy.select_action(processed)))
    assert torch.equal(*actions)


def test_recomputing_features_changes_no_gradient() -> None:
    batch, found = tiny_batch(), []
    for recomputed in (True, False):
        policy = make(gradient_checkpointing=recomputed, use_group_norm=True).train()
        torch.manual_seed(2)
        policy.forward(batch)[0].backward()
        found.append([parameter.grad for parameter in policy.parameters()])
    assert all(torch.allclose(a, b, atol=1e-7) for a, b in zip(*found, strict=True))


# --- real-time chunking ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jacobian", [True, False])
@pytest.mark.parametrize("scheduler", ["DDPM", "DDIM"])
@pytest.mark.parametrize("prediction", ["epsilon", "sample"])
def test_a_chunk_continues_the_one_before(scheduler: str, prediction: str, jacobian: bool) -> None:
    """Of actions that follow one another as in a Gauss process, the best denoiser is known."""
    settings = {"noise_scheduler_type": scheduler, "prediction_type": prediction, "clip_sample": False}
    schedule = NoiseSchedule(DiffusionConfig(**{**TINY, **settings, "num_train_timesteps": 50}))
    steps = torch.arange(8.0)
    covariance = 0.1 * torch.exp(-((steps[:, None] - steps) ** 2) / 8)

    def denoise(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        kept = schedule.kept[levels[0]]
        best = kept.sqrt() * covariance @ torch.linalg.inv(kept * covariance + (1 - kept) * torch.eye(8))
        guess = torch.einsum("ij,bjd->bid", best, noisy)
        return guess if prediction == "sample" else (noisy - kept.sqrt() * guess) / (1 - kept).sqrt()

    previous = torch.full((500, 3, 1), 0.4)
    torch.manual_seed(0)
    noise = torch.randn(500, 8, 1)
    rtc = RTCConfig(prefix_attention_schedule="ZEROS", use_jacobian=jacobian)
    guidance = Guidance(Continuation(previous, 3, rtc), noise, first=1)
    actions = schedule.remove(noise, denoise, guidance)
    assert (actions[:, 1:4] - 0.4).abs().mean() < 0.1, "0.42 without guidance"
    assert actions[:, 4].mean() > 0.15, "0 without guidance: what comes behind follows"


def test_a_policys_chunk_is_guided_where_it_continues(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest observation is the second of the window, and entry 0 of the chunk."""
    policy = make(prediction_type="sample", noise_scheduler_type="DDIM")
    monkeypatch.setattr(policy.diffusion.unet, "forward", lambda noisy, _levels, _condition: torch.zeros_like(noisy))
    rtc = RTCConfig(prefix_attention_schedule="ZEROS", use_jacobian=False)
    chunk = policy.continue_action_chunk(newest(tiny_batch(1)), Continuation(torch.ones(1, 3, 4), 1, rtc))
    assert (chunk[:, 0] > 0).all()
    assert not chunk[:, 1:].any()
    assert isinstance(policy, ContinuesChunks)


@pytest.mark.parametrize("scheduler", ["DDPM", "DDIM"])
def test_continuing_nothing_is_plain_sampling(scheduler: str) -> None:
    policy = make(noise_scheduler_type=scheduler)
    batch = newest(tiny_batch(1))
    chunks = []
    for each in (None, Continuation(torch.ones(1, 3, 4), 0, RTCConfig(prefix_attention_schedule="ZEROS"))):
        torch.manual_seed(3)
        chunks.append(policy.predict_action_chunk(batch) if each is None else policy.continue_action_chunk(batch, each))
    assert torch.equal(*chunks)
