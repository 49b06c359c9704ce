"""The contract of policies, and what is particular to GR00T N1.7."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_groot_n17 import IMAGE_TOKEN, nvidia_config, tiny_settings, tiny_sizes

from lerobot.core.config.rtc import RTCConfig
from lerobot.core.errors import CheckpointError, FeatureMismatchError, LeRobotError
from lerobot.groot.n17.config import GrootConfig
from lerobot.groot.n17.modeling import NAMES
from lerobot.groot.n17.policy import GrootPolicy
from lerobot.policies.assembly import PolicyWithProcessors, make_pre_post_processors
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.export.program import require_exportable
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.rtc.continuation import Continuation, ContinuesChunks
from lerobot.policies.testing import TrainablePolicyContract, statistics


def tiny_batch(rows: int = 8) -> dict[str, Any]:
    """A batch as the pre-processor makes it; cameras and state are there as they were before, too."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, 280, (rows, 16), generator=generator)
    tokens[:, 3:7] = tokens[:, 8:12] = IMAGE_TOKEN
    present = torch.ones(rows, 16, dtype=torch.int64)
    present[1, :2] = 0
    state = torch.randn(rows, 5, generator=generator)
    return {
        "observation.images.front": torch.rand(rows, 3, 32, 40, generator=generator),
        "observation.images.wrist": torch.rand(rows, 3, 48, 33, generator=generator),
        "observation.state": state,
        "action": torch.randn(rows, 6, 4, generator=generator),
        "state": torch.nn.functional.pad(state, (0, 5))[:, None],
        "embodiment_id": torch.arange(rows, dtype=torch.int32) % 3 + 9,
        "input_ids": tokens,
        "attention_mask": present,
        "pixel_values": torch.randn(rows, 32, 96, generator=generator),
        "image_grid_thw": torch.tensor([1, 4, 4]).expand(rows, 2, 3),
    }


PACKED = ("state", "embodiment_id", "input_ids", "attention_mask", "pixel_values", "image_grid_thw")


class TestContract(TrainablePolicyContract):
    capabilities = frozenset({"gradients"})

    @pytest.fixture
    def config(self, vlm: Path) -> GrootConfig:
        return GrootConfig(**tiny_settings(vlm))

    @pytest.fixture
    def batch(self) -> dict[str, Any]:
        return tiny_batch()

    def observation(self, batch: dict[str, Any]) -> dict[str, Any]:
        """What the pre-processor makes is there when acting, too."""
        packed = {key: batch[key] for key in PACKED}
        return {**super().observation(batch), **packed, "task": ["pick up the cube"] * len(batch["state"])}


# --- what is particular to N1.7 --------------------------------------------------------------------------------------


def make(vlm: Path, **changes: Any) -> GrootPolicy:
    torch.manual_seed(0)
    policy: GrootPolicy = GrootConfig(**tiny_settings(vlm, **changes)).build()
    for parameter in policy.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return policy


LANGUAGE, VISION = r"backbone\.model\.model\.language_model\..*", r"backbone\.model\.model\.visual\..*"
# Of the last layer, what comes behind it is not asked for.
UNASKED = r"backbone\.model\.model\.(language_model\.norm|visual\.deepstack_merger_list\.1)\..*"
PROJECTIONS = r"action_head\.(state_encoder|action_encoder|action_decoder|position_embedding)\..*"
READER = r"action_head\.(vlln|vl_self_attention)\..*"


@pytest.mark.parametrize(
    ("changes", "frozen"),
    [
        ({}, f"{LANGUAGE}|{VISION}"),
        ({"tune_llm": True}, VISION),
        ({"tune_visual": True}, LANGUAGE),
        ({"tune_top_llm_layers": 1}, rf"(?!.*language_model\.layers\.1\.)({LANGUAGE}|{VISION})"),
        ({"tune_projector": False}, f"{LANGUAGE}|{VISION}|{PROJECTIONS}"),
        ({"tune_diffusion_model": False}, rf"{LANGUAGE}|{VISION}|action_head\.model\..*"),
        ({"tune_vlln": False}, f"{LANGUAGE}|{VISION}|{READER}"),
    ],
)
def test_what_is_frozen_and_what_learns(vlm: Path, changes: dict[str, Any], frozen: str) -> None:
    policy = make(vlm, **changes)
    policy.train().forward(tiny_batch())[0].backward()
    for name, parameter in policy.named_parameters():
        learns = not re.fullmatch(rf"_groot_model\.({frozen})", name)
        assert parameter.requires_grad is learns, name
        if not re.fullmatch(rf"_groot_model\.{UNASKED}", name):
            assert (parameter.grad is not None) is learns, name
    assert policy.head.model.training is changes.get("tune_diffusion_model", True)
    assert policy.head.vl_self_attention.training is changes.get("tune_vlln", True)


def test_weights_of_layers_decay_and_no_others(vlm: Path) -> None:
    policy = make(vlm, tune_llm=True, tune_visual=True)
    names = {id(each): name.removeprefix("_groot_model.") for name, each in policy.named_parameters()}
    decayed, others = ({names[id(each)] for each in group["params"]} for group in policy.parameter_groups())
    assert len(decayed) + len(others) == len(names)
    assert {
        "action_head.action_encoder.W1.b",
        "action_head.model.transformer_blocks.0.norm1.linear.weight",
        "backbone.model.model.visual.pos_embed.weight",
    } <= decayed
    assert {
        "action_head.vlln.weight",
        "action_head.model.proj_out_1.bias",
        "action_head.vl_self_attention.transformer_blocks.0.norm1.weight",
        "backbone.model.model.visual.blocks.0.norm1.weight",
        "backbone.model.model.visual.merger.norm.weight",
        "backbone.model.model.language_model.layers.0.self_attn.q_norm.weight",
        "backbone.model.model.language_model.layers.0.input_layernorm.weight",
        "backbone.model.model.language_model.norm.weight",
    } <= others
    assert list(policy.parameter_groups())[1]["weight_decay"] == 0


def test_adapters_go_into_queries_and_values_of_the_blocks_that_make_actions(vlm: Path) -> None:
    policy = make(vlm)
    found = [module for module, _ in policy.named_modules() if re.fullmatch(policy.adapter_targets(), module)]
    assert len(found) == 2 * 6


def test_it_cannot_be_exported(vlm: Path) -> None:
    with pytest.raises(LeRobotError, match="cannot be exported"):
        require_exportable(make(vlm))


def test_the_loss_is_the_mean_over_what_is_learned(vlm: Path) -> None:
    policy, batch = make(vlm), tiny_batch()
    policy.eval()
    noise, time = torch.randn(8, 6, 8), torch.rand(8)
    loss, _ = policy.forward(batch, noise=noise, time=time)
    action = torch.nn.functional.pad(batch["action"], (0, 4))
    noisy = (1 - time[:, None, None]) * noise + time[:, None, None] * action
    error = (action - noise - policy.head.velocity(policy.observe(batch), noisy, time))[..., :4].pow(2)
    assert loss.item() == pytest.approx(error.mean().item(), abs=1e-5)
    # Filled up, as the pre-processor gives it, and of which the last step is none.
    mask = torch.zeros(8, 6, 8)
    mask[:, :5, :4] = 1
    filled, _ = policy.forward({**batch, "action": action, "action_mask": mask}, noise=noise, time=time)
    assert filled.item() == pytest.approx(error[:, :5].mean().item(), abs=1e-5)


def test_a_chunk_follows_the_velocity_from_noise(vlm: Path) -> None:
    policy, batch = make(vlm, chunk_size=5, num_inference_timesteps=2), tiny_batch()
    noise = torch.randn(8, 6, 8)
    chunk = policy.predict_action_chunk(batch, noise=noise)
    actions = noise
    with torch.no_grad():
        observed = policy.observe(batch)
        for number in (0, 500):
            actions = actions + policy.head.velocity(observed, actions, torch.full((8,), number / 1000)) / 2
    # The network's sixth action was never learned.
    assert torch.allclose(chunk, actions[:, :5, :4], atol=1e-6)


@pytest.mark.parametrize("key", ["state", "embodiment_id", "input_ids", "pixel_values"])
def test_everything_matters(key: str, vlm: Path) -> None:
    policy, noise = make(vlm), torch.randn(8, 6, 8)
    chunk = policy.predict_action_chunk(tiny_batch(), noise=noise)
    batch = tiny_batch()
    batch[key] = batch[key].flip(0)
    assert (policy.predict_action_chunk(batch, noise=noise) - chunk).abs().max() > 1e-5


def test_padding_does_not_matter(vlm: Path) -> None:
    policy, noise = make(vlm), torch.randn(8, 6, 8)
    chunk = policy.predict_action_chunk(tiny_batch(), noise=noise)
    batch = tiny_batch()
    batch["input_ids"][1, :2] = 9
    assert torch.equal(policy.predict_action_chunk(batch, noise=noise), chunk)


@pytest.mark.parametrize("key", PACKED)
def test_missing_inputs_are_refused(key: str, vlm: Path) -> None:
    policy = make(vlm)
    rest = {name: value for name, value in tiny_batch().items() if name != key}
    for call in (policy.forward, policy.predict_action_chunk, policy.select_action):
        with pytest.raises(FeatureMismatchError, match=f"got no '{key}'"):
            call(rest)


@pytest.mark.parametrize(
    ("key", "shape"), [("pixel_values", (256, 48)), ("state", (8, 10)), ("action", (8, 5, 4)), ("action", (8, 6, 8))]
)
def test_inputs_of_another_shape_are_refused(key: str, shape: tuple[int, ...], vlm: Path) -> None:
    with pytest.raises(FeatureMismatchError, match=f"'{key}' of"):
        make(vlm).forward({**tiny_batch(), key: torch.zeros(shape)})


def test_relative_actions_are_not_acted_out_tick_by_tick(vlm: Path) -> None:
    policy = make(vlm, use_relative_actions=True)
    assert policy.predict_action_chunk(tiny_batch()).shape == (8, 6, 4)
    with pytest.raises(FeatureMismatchError, match="relative to the state"):
        policy.select_action(tiny_batch())


# --- real-time chunking ----------------------------------------------------------------------------------------------


def test_a_chunk_continues_the_one_before(vlm: Path) -> None:
    policy, noise = make(vlm), torch.randn(8, 6, 8)
    assert isinstance(policy, ContinuesChunks)
    assert policy.rtc_modes == {"guided"}
    previous = torch.randn(8, 5, 4)
    whole = Continuation(previous, 2, RTCConfig(execution_horizon=4))
    found = policy.continue_action_chunk(tiny_batch(), whole, noise=noise)
    assert torch.equal(found[:, :2], previous[:, :2])
    assert (found[:, 2] - previous[:, 2]).abs().max() > 1e-4
    # What is free begins as noise, and what is not, where the chunk before is.
    begun = noise.clone()
    begun[:, :4] = torch.nn.functional.pad(previous[:, :4], (0, 4))
    rate = 6.0
    free = torch.ones(6)
    free[:2] = 0
    free[2:4] = torch.tensor([(1 - 2.718281828 ** (-rate * t)) / (1 - 2.718281828**-rate) for t in (1 / 3, 2 / 3)])
    with torch.no_grad():
        observed, actions = policy.observe(tiny_batch()), begun
        for number in (0, 250, 500, 750):
            velocity = policy.head.velocity(observed, actions, torch.full((8,), number / 1000))
            actions = actions + velocity * free[:, None] / 4
    assert torch.allclose(found, actions[..., :4], atol=1e-5)


def test_what_the_pre_processor_filled_up_is_not_continued(vlm: Path) -> None:
    policy, noise, previous = make(vlm), torch.randn(8, 6, 8), torch.randn(8, 6, 8)
    previous[:, 3:] = 0
    previous[..., 4:] = 0
    mask = torch.zeros(8, 6, 8)
    mask[:, :3, :4] = 1
    filled = Continuation(previous, 1, RTCConfig())
    real = Continuation(previous[:, :3, :4], 1, RTCConfig())
    batch = tiny_batch()
    expected = policy.continue_action_chunk(batch, real, noise=noise)
    assert torch.equal(policy.continue_action_chunk({**batch, "action_mask": mask}, filled, noise=noise), expected)


@pytest.mark.parametrize("shape", [(7, 3, 4), (8, 3, 9)])
def test_a_chunk_of_another_form_is_not_continued(vlm: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(LeRobotError, match="cannot continue one of"):
        make(vlm).continue_action_chunk(tiny_batch(), Continuation(torch.zeros(shape), 1, RTCConfig()))


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(vlm: Path, tmp_path: Path) -> Path:
    policy = make(vlm)
    processors = make_processors(policy.config, statistics(policy.config))
    PolicyWithProcessors(policy, processors).save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


@pytest.mark.parametrize("kept", [0, 1], ids=["head", "table"])
def test_the_table_of_tokens_may_have_either_name_and_is_one_afterwards(saved: Path, kept: int) -> None:
    weights = load_file(saved / "model.safetensors")
    names = [f"_groot_model.{name}" for name in NAMES]
    weights[names[kept]] = weights.pop(next(name for name in names if name in weights))
    save_file(weights, saved / "model.safetensors")
    found = PreTrainedPolicy.from_pretrained(saved).state_dict()
    assert found[names[0]].data_ptr() == found[names[1]].data_ptr()


def test_wrong_weights_are_refused(saved: Path) -> None:
    weights = load_file(saved / "model.safetensors")
    name = "_groot_model.action_head.vlln.weight"
    for changed, expected in (
        ({key: each for key, each in weights.items() if key != name}, f"lacks {name}"),
        ({**weights, "more": torch.zeros(1)}, "does not have: _groot_model.more"),
        ({**weights, name: torch.zeros(7)}, rf"another form: {name} \(7,\)"),
    ):
        save_file(changed, saved / "model.safetensors")
        config = Checkpoint.at(saved).config().model_copy(update={"pretrained_path": str(saved)})
        with pytest.raises(CheckpointError, match=expected):
            PreTrainedPolicy.from_pretrained(saved)
        with pytest.raises(CheckpointError, match=expected):
            PreTrainedPolicy.check_pretrained(config)


def test_missing_statistics_are_refused_and_those_of_a_dataset_mend_it(saved: Path, vlm: Path) -> None:
    for path in saved.glob("*normalize_v2.safetensors"):
        save_file({f"so100.{name}": each for name, each in load_file(path).items()}, path)
    with pytest.raises(CheckpointError, match=r"no statistics action\.min.*it has those of so100\.action"):
        PolicyWithProcessors.from_pretrained(saved)
    config = Checkpoint.at(saved).config().model_copy(update={"pretrained_path": str(saved)})
    stats = statistics(config)
    mended = make_pre_post_processors(config, stats, new_statistics=True)
    action = torch.rand(2, 6, 4)
    expected = make_processors(GrootConfig(**tiny_settings(vlm)), stats).postprocessor(action)
    assert torch.equal(mended.postprocessor(action), expected)


def test_a_tokenizer_of_another_model_is_refused(saved: Path) -> None:
    tokenizer = PolicyWithProcessors.from_pretrained(saved).processors.preprocessor.steps[3].tokenizer
    tokenizer.add_tokens([f"<word{index}>" for index in range(50)])
    tokenizer.save_pretrained(saved / "qwen3_vl")
    with pytest.raises(CheckpointError, match=r"has \d+ tokens, .*knows 297"):
        PolicyWithProcessors.from_pretrained(saved)


def test_a_saved_policy_needs_nothing_but_its_folder(vlm: Path, tmp_path: Path) -> None:
    """Neither the base, of which it writes down what it needs, nor the tokenizer."""
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text(json.dumps({**nvidia_config(tiny_sizes(), 10, 8), "model_name": str(vlm)}))
    parts = {"action": {"delta_indices": [0, 1, 2, 3, 4]}}
    kwargs = {"processor_kwargs": {"modality_configs": {"new_embodiment": parts}}}
    (base / "processor_config.json").write_text(json.dumps(kwargs))
    config = GrootConfig(**tiny_settings(vlm, network=None, base_model_path=str(base)))
    policy = config.build()
    pair = PolicyWithProcessors(policy, make_processors(config, statistics(config)))
    pair.save_pretrained(tmp_path / "saved")
    base.rename(tmp_path / "gone")
    gone = vlm.rename(vlm.with_name("gone"))
    try:
        loaded = PolicyWithProcessors.from_pretrained(tmp_path / "saved")
    finally:
        gone.rename(vlm)
    assert (loaded.policy.config.chunk_size, loaded.policy.config.n_action_steps) == (5, 3)
    given = {key: each for key, each in tiny_batch().items() if key.startswith("observation")} | {"task": "go"}
    torch.manual_seed(0)
    expected = pair.policy.predict_action_chunk(pair.processors.preprocessor(given))
    torch.manual_seed(0)
    assert torch.allclose(loaded.policy.predict_action_chunk(loaded.processors.preprocessor(given)), expected)
