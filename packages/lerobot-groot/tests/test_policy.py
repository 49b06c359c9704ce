"""The contract of policies, and what is particular to GR00T N1.5."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_groot import IMAGE_TOKEN, nvidia_config, tiny_settings, tiny_sizes
from torch import Tensor

from lerobot.core.errors import CheckpointError, FeatureMismatchError, LeRobotError
from lerobot.groot.config import EarlierGrootConfig, GrootN15Config
from lerobot.groot.policy import GrootN15Policy
from lerobot.policies.assembly import PolicyWithProcessors, make_pre_post_processors
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.export.program import require_exportable
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.rtc.continuation import ContinuesChunks
from lerobot.policies.testing import TrainablePolicyContract, statistics

TABLE = "_groot_model.backbone.eagle_model.language_model.model.embed_tokens.weight"
HEAD = "_groot_model.backbone.eagle_model.language_model.lm_head.weight"


def tiny_batch(rows: int = 8) -> dict[str, Any]:
    """A batch as the pre-processor makes it; cameras and state are there as they were before, too."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, 290, (rows, 40), generator=generator)
    tokens[:, 2:34] = IMAGE_TOKEN
    present = torch.ones(rows, 40, dtype=torch.int64)
    present[1, :2] = 0
    state = torch.randn(rows, 5, generator=generator)
    return {
        "observation.images.front": torch.rand(rows, 3, 32, 40, generator=generator),
        "observation.images.wrist": torch.rand(rows, 3, 48, 33, generator=generator),
        "observation.state": state,
        "action": torch.randn(rows, 6, 4, generator=generator),
        "state": torch.nn.functional.pad(state, (0, 5))[:, None],
        "embodiment_id": torch.arange(rows) % 3 + 29,
        "eagle_input_ids": tokens,
        "eagle_attention_mask": present,
        "eagle_pixel_values": torch.rand(rows, 2, 3, 32, 32, generator=generator) * 2 - 1,
    }


PACKED = ("state", "embodiment_id", "eagle_input_ids", "eagle_attention_mask", "eagle_pixel_values")


class TestContract(TrainablePolicyContract):
    capabilities = frozenset({"gradients"})

    @pytest.fixture
    def config(self, assets: Path) -> GrootN15Config:
        return GrootN15Config(**tiny_settings(assets))

    @pytest.fixture
    def batch(self) -> dict[str, Any]:
        return tiny_batch()

    def observation(self, batch: dict[str, Any]) -> dict[str, Any]:
        """What the pre-processor makes is there when acting, too."""
        packed = {key: batch[key] for key in PACKED}
        return {**super().observation(batch), **packed, "task": ["pick up the cube"] * len(batch["state"])}


# --- what is particular to GR00T -------------------------------------------------------------------------------------


def make(assets: Path, **changes: Any) -> GrootN15Policy:
    torch.manual_seed(0)
    policy: GrootN15Policy = GrootN15Config(**tiny_settings(assets, **changes)).build()
    for parameter in policy.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return policy


LANGUAGE, VISION = r"backbone\.eagle_model\.language_model\..*", r"backbone\.eagle_model\.(vision_model|mlp1)\..*"
UNSEEN = r"backbone\.eagle_model\.vision_model\.vision_model\.head\..*"
PROJECTIONS = r"action_head\.(state_encoder|action_encoder|action_decoder|position_embedding)\..*"


@pytest.mark.parametrize(
    ("changes", "frozen"),
    [
        ({}, f"{LANGUAGE}|{VISION}"),
        ({"tune_llm": True}, VISION),
        ({"tune_visual": True}, f"{LANGUAGE}|{UNSEEN}"),
        ({"tune_projector": False}, f"{LANGUAGE}|{VISION}|{PROJECTIONS}"),
        ({"tune_diffusion_model": False}, rf"{LANGUAGE}|{VISION}|action_head\.model\..*"),
    ],
)
def test_what_is_frozen_and_what_learns(assets: Path, changes: dict[str, Any], frozen: str) -> None:
    policy = make(assets, **changes)
    policy.train().forward(tiny_batch())[0].backward()
    for name, parameter in policy.named_parameters():
        learns = not re.fullmatch(rf"_groot_model\.({frozen})", name)
        assert (parameter.requires_grad, parameter.grad is not None) == (learns, learns), name
    leaves_out = policy._groot_model.action_head.model.training
    assert leaves_out is changes.get("tune_diffusion_model", True)


def test_adapters_go_into_queries_and_values_of_the_blocks_that_make_actions(assets: Path) -> None:
    policy = make(assets)
    found = [module for module, _ in policy.named_modules() if re.fullmatch(policy.adapter_targets(), module)]
    assert len(found) == 2 * 4


def test_it_can_neither_be_exported_nor_continue_chunks(assets: Path) -> None:
    policy = make(assets)
    assert not isinstance(policy, ContinuesChunks)
    with pytest.raises(LeRobotError, match="cannot be exported"):
        require_exportable(policy)


def test_the_loss_is_the_mean_over_steps_and_the_robots_own_numbers(assets: Path) -> None:
    policy, batch = make(assets), tiny_batch()
    policy.eval()
    noise, time = torch.randn(8, 6, 8), torch.rand(8)
    loss, _ = policy.forward(batch, noise=noise, time=time)
    action = torch.nn.functional.pad(batch["action"], (0, 4))
    noisy = (1 - time[:, None, None]) * noise + time[:, None, None] * action
    found = policy._groot_model.action_head.velocity(policy.observe(batch), noisy, time)
    expected = (action - noise - found)[..., :4].pow(2).mean()
    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)
    # Filled up, as the pre-processor gives it, it is the same.
    filled = {**batch, "action": action, "action_mask": torch.arange(8).expand(8, 6, 8) < 4}
    assert policy.forward(filled, noise=noise, time=time)[0].item() == pytest.approx(loss.item(), abs=1e-6)


def test_a_chunk_follows_the_velocity_from_noise(assets: Path) -> None:
    policy, batch = make(assets), tiny_batch()
    noise = torch.randn(8, 6, 8)
    chunk = policy.predict_action_chunk(batch, noise=noise)
    head, actions = policy._groot_model.action_head, noise
    with torch.no_grad():
        observed = policy.observe(batch)
        for number in (0, 250, 500, 750):
            actions = actions + head.velocity(observed, actions, torch.full((8,), number / 1000)) / 4
    assert torch.allclose(chunk, actions[..., :4], atol=1e-6)


@pytest.mark.parametrize("key", PACKED)
def test_everything_matters(key: str, assets: Path) -> None:
    policy, noise = make(assets), torch.randn(8, 6, 8)
    chunk = policy.predict_action_chunk(tiny_batch(), noise=noise)
    batch = tiny_batch()
    batch[key] = batch[key].flip(0)
    assert (policy.predict_action_chunk(batch, noise=noise) - chunk).abs().max() > 1e-5


def test_padding_does_not_matter(assets: Path) -> None:
    policy, noise = make(assets), torch.randn(8, 6, 8)
    chunk = policy.predict_action_chunk(tiny_batch(), noise=noise)
    batch = tiny_batch()
    batch["eagle_input_ids"][1, :2] = 9
    assert torch.equal(policy.predict_action_chunk(batch, noise=noise), chunk)


@pytest.mark.parametrize("key", PACKED)
def test_missing_inputs_are_refused(key: str, assets: Path) -> None:
    policy = make(assets)
    rest = {name: value for name, value in tiny_batch().items() if name != key}
    for call in (policy.forward, policy.predict_action_chunk, policy.select_action):
        with pytest.raises(FeatureMismatchError, match=f"got no '{key}'"):
            call(rest)


@pytest.mark.parametrize(
    ("key", "shape"), [("eagle_pixel_values", (16, 3, 28, 28)), ("state", (8, 10)), ("action", (8, 5, 4))]
)
def test_inputs_of_another_shape_are_refused(key: str, shape: tuple[int, ...], assets: Path) -> None:
    with pytest.raises(FeatureMismatchError, match=f"'{key}' of"):
        make(assets).forward({**tiny_batch(), key: torch.zeros(shape)})


def test_mixed_precision_leaves_weights_as_they_are(assets: Path) -> None:
    policy, noise = make(assets, use_bf16=True), torch.randn(8, 6, 8)
    chunk = policy.predict_action_chunk(tiny_batch(), noise=noise)
    exact = make(assets).predict_action_chunk(tiny_batch(), noise=noise)
    assert 0 < (chunk - exact).abs().max() < 0.1
    assert {each.dtype for each in policy.parameters()} == {torch.float32}


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(assets: Path, tmp_path: Path) -> Path:
    policy = make(assets)
    processors = make_processors(policy.config, statistics(policy.config))
    PolicyWithProcessors(policy, processors).save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda weights, name: weights.pop(name), "lacks {name}"),
        (lambda weights, _: weights.update({"more": torch.zeros(1)}), "does not have: _groot_model.more"),
        (lambda weights, name: weights.update({name: torch.zeros(1, 7)}), r"another form: {name} \(1, 7\)"),
        (lambda weights, name: weights.update({name: weights[name].int()}), "int32 instead of"),
    ],
    ids=["missing", "extra", "mis-shaped", "of another kind"],
)
def test_wrong_weights_are_refused(saved: Path, change: Callable[[dict[str, Tensor], str], Any], expected: str) -> None:
    weights = load_file(saved / "model.safetensors")
    name = next(name for name in reversed(weights) if weights[name].ndim == 2 and name != HEAD)
    change(weights, name)
    save_file(weights, saved / "model.safetensors")
    config = Checkpoint.at(saved).config().model_copy(update={"pretrained_path": str(saved)})
    for load in (
        lambda: PreTrainedPolicy.from_pretrained(saved),
        lambda: PreTrainedPolicy.check_pretrained(config),
    ):
        with pytest.raises(CheckpointError, match=expected.format(name=name)):
            load()


def test_truncated_weights_are_refused(saved: Path) -> None:
    path = saved / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match="a complete safetensors file"):
        PreTrainedPolicy.from_pretrained(saved)


@pytest.mark.parametrize("names", [[HEAD], [TABLE], [HEAD, TABLE]], ids=["head", "table", "both"])
def test_the_table_of_tokens_may_have_either_name_and_is_one_afterwards(saved: Path, names: list[str]) -> None:
    """Files hold one of two names; some hold both, with numbers for the head that nobody ever asked."""
    weights = load_file(saved / "model.safetensors")
    table = weights.pop(HEAD)
    given = {name: table.clone() for name in names}
    if len(names) == 2:
        given[HEAD] = torch.zeros_like(table)
    save_file({**weights, **given}, saved / "model.safetensors")
    policy = PreTrainedPolicy.from_pretrained(saved)
    found = policy.state_dict()
    assert torch.equal(found[TABLE], table)
    assert found[TABLE].data_ptr() == found[HEAD].data_ptr()


def test_names_of_nvidias_files_are_understood(saved: Path) -> None:
    weights = load_file(saved / "model.safetensors")
    bare = {name.removeprefix("_groot_model."): each for name, each in weights.items()}
    save_file(bare, saved / "model.safetensors")
    loaded = PreTrainedPolicy.from_pretrained(saved).state_dict()
    assert all(torch.equal(loaded[name], each) for name, each in weights.items())


def test_missing_statistics_are_refused_and_those_of_a_dataset_mend_it(saved: Path, assets: Path) -> None:
    for path in saved.glob("*normalize_v1.safetensors"):
        save_file({f"so100.{name}": each for name, each in load_file(path).items()}, path)
    with pytest.raises(CheckpointError, match=r"no statistics action\.min.*it has those of so100\.action"):
        PolicyWithProcessors.from_pretrained(saved)
    config = Checkpoint.at(saved).config().model_copy(update={"pretrained_path": str(saved)})
    stats = statistics(config)
    mended = make_pre_post_processors(config, stats, new_statistics=True)
    action = torch.rand(2, 6, 4)
    expected = make_processors(GrootN15Config(**tiny_settings(assets)), stats).postprocessor(action)
    assert torch.equal(mended.postprocessor(action), expected)


def test_a_tokenizer_of_another_model_is_refused(saved: Path) -> None:
    steps = PolicyWithProcessors.from_pretrained(saved).processors.preprocessor.steps
    tokenizer = steps[4].tokenizer
    tokenizer.add_tokens([f"<word{index}>" for index in range(50)])
    tokenizer.save_pretrained(saved / "eagle_tokenizer")
    with pytest.raises(CheckpointError, match=r"has \d+ tokens, .*knows 320"):
        PolicyWithProcessors.from_pretrained(saved)


def test_a_saved_policy_needs_nothing_but_its_folder(saved: Path, assets: Path) -> None:
    before = PolicyWithProcessors.from_pretrained(saved).processors.preprocessor
    assets.rename(assets.with_name("gone"))
    try:
        after = PolicyWithProcessors.from_pretrained(saved).processors.preprocessor
    finally:
        assets.with_name("gone").rename(assets)
    given = {key: each for key, each in tiny_batch().items() if key.startswith("observation")}
    found, expected = (each({**given, "task": "go"})["eagle_input_ids"] for each in (before, after))
    assert torch.equal(found, expected)


def test_sizes_are_written_down_where_no_name_stands_for_them(assets: Path, tmp_path: Path) -> None:
    """Under the name that old releases know, which refuse the field, the folders are looked into again."""
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text(json.dumps(nvidia_config(tiny_sizes(), 10, 8)))
    files = tiny_settings(assets, network=None, base_model_path=str(base))
    new, old = GrootN15Config(**files).build(), EarlierGrootConfig(**files).build()
    assert new.config.network == old.config.size
    assert old.config.network is None
