"""Zeros that are chosen, stay, are saved, and are the same in a run that goes on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from lerobot.core.config import load
from lerobot.core.errors import CheckpointError, ConfigError, LeRobotError
from lerobot.training.commands.train import TrainPipelineConfig
from lerobot.training.config import PruneConfig
from lerobot.training.pruning import MASKS, Pruning

Train = Callable[..., Path]
WEIGHTS = "pretrained_model/model.safetensors"
WIDTH, HEADS = 12, 4


def zeros(file: Path) -> tuple[int, int]:
    """Of the weights of layers: how many are zero, and how many there are."""
    weights = [value for name, value in load_file(file).items() if name.endswith("weight")]
    return sum(int((each == 0).sum()) for each in weights), sum(each.numel() for each in weights)


def test_the_smallest_of_all_layers_together() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 5), nn.Conv1d(5, 3, 2), nn.LayerNorm(3))
    layers = [network[0].weight, network[1].weight]
    before = np.concatenate([each.detach().numpy().ravel() for each in layers])
    biases = [each.detach().clone() for name, each in network.named_parameters() if "bias" in name]
    Pruning(PruneConfig(amount=0.4), network, "small")
    after = np.concatenate([each.detach().numpy().ravel() for each in layers])
    limit = np.quantile(np.abs(before), 0.4)
    assert np.array_equal(after, np.where(np.abs(before) <= limit, 0, before))
    assert (after == 0).sum() == 24
    kept = [each for name, each in network.named_parameters() if "bias" in name]
    assert all(torch.equal(mine, other) for mine, other in zip(biases, kept, strict=True))
    assert network[2].weight.all()


def test_more_and_more_by_the_schedule_and_none_comes_back() -> None:
    """0.6 (1 - (1 - t)^3) of 1000 weights, every second of ten steps from the third on."""
    torch.manual_seed(0)
    layer = nn.Linear(100, 10)
    pruning = Pruning(PruneConfig(amount=0.6, begin=2, over=10, every=2), layer, "layer")
    counts, gone = [], torch.zeros_like(layer.weight, dtype=torch.bool)
    for _ in range(14):
        nn.init.normal_(layer.weight)
        pruning.step()
        assert not layer.weight[gone].any()
        gone = layer.weight == 0
        counts.append(int(gone.sum()))
    steps = [0.0, 0.0, 0.0, 0.2, 0.2, 0.4, 0.4, 0.6, 0.6, 0.8, 0.8, 1.0, 1.0, 1.0]
    assert counts == [round(600 * (1 - (1 - each) ** 3)) for each in steps]


def test_heads_are_gone_as_a_whole() -> None:
    """Attention computes what the heads that are left compute, by the formula written out."""
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    nn.init.normal_(attention.in_proj_bias)
    size = WIDTH // HEADS
    with torch.no_grad():
        # What heads 1 and 2 write is small.
        attention.out_proj.weight[:, size : 3 * size] *= 0.01
    whole = {name: each.detach().clone() for name, each in attention.named_parameters()}
    Pruning(PruneConfig(amount=0.5, kind="heads"), nn.ModuleDict({"block": attention}), "small")
    tokens = torch.randn(2, 7, WIDTH)
    query, key, value = (
        (tokens @ weight.T + bias).unflatten(-1, (HEADS, size))
        for weight, bias in zip(whole["in_proj_weight"].chunk(3), whole["in_proj_bias"].chunk(3), strict=True)
    )
    expected = whole["out_proj.bias"].expand(2, 7, WIDTH)
    for head in (0, 3):
        scores = query[:, :, head] @ key[:, :, head].transpose(1, 2) / size**0.5
        columns = whole["out_proj.weight"][:, head * size : (head + 1) * size]
        expected = expected + scores.softmax(-1) @ value[:, :, head] @ columns.T
    assert attention(tokens, tokens, tokens)[0].detach() == pytest.approx(expected, abs=1e-5)
    assert int((attention.in_proj_weight == 0).sum()) == 3 * WIDTH * WIDTH // 2
    assert int((attention.in_proj_bias == 0).sum()) == 3 * WIDTH // 2


def test_they_are_saved_and_a_run_that_goes_on_has_the_same(
    train: Train,
    resume: Callable[..., None],
    states: Callable[[Path], dict[str, bytes]],
    tmp_path: Path,
) -> None:
    flags = ("--steps=8", "--save_freq=2", "--ema.enable=true", "--prune.amount=0.5")
    run = train(tmp_path / "run", *flags, "--prune.begin=1", "--prune.over=3", "--prune.every=1")
    last, early, late = (run / f"checkpoints/{step:06}" for step in (8, 2, 6))
    found, of = zeros(last / WEIGHTS)
    assert found == round(0.5 * of)
    assert zeros(last / WEIGHTS.replace("model/", "model_ema/"))[0] == found
    assert 0 < zeros(early / WEIGHTS)[0] < found
    masks = load_file(last / "training_state" / MASKS)
    assert sum(int(mask.sum()) for name, mask in masks.items() if name != "steps") == found
    expected = states(last)
    # While more weights go, and when all have gone.
    for checkpoint in (early, late):
        resume(checkpoint)
        assert states(last) == expected
    with pytest.raises(LeRobotError, match="--prune="):
        resume(early, "--prune.amount=0.7")


def test_masks_of_another_policy_are_refused(tmp_path: Path) -> None:
    config = PruneConfig(amount=0.5)
    Pruning(config, nn.Linear(3, 3), "small").save(tmp_path)
    with pytest.raises(CheckpointError, match="of another policy"):
        Pruning(config, nn.Linear(4, 3), "larger").load(tmp_path)


def test_what_cannot_be_pruned_is_refused_by_name(
    train: Train, arguments: Callable[..., list[str]], tmp_path: Path
) -> None:
    with pytest.raises(LeRobotError, match="policy 'tiny' has no heads"):
        train(tmp_path / "run", "--steps=2", "--prune.amount=0.5", "--prune.kind=heads")
    with pytest.raises(LeRobotError, match=r"amount=0.2 of 4 heads is less than one"):
        Pruning(PruneConfig(amount=0.2, kind="heads"), nn.ModuleList([nn.MultiheadAttention(WIDTH, HEADS)]), "small")
    with pytest.raises(LeRobotError, match="policy 'empty' learns no linear or convolution layer"):
        Pruning(PruneConfig(amount=0.2), nn.LayerNorm(3), "empty")
    for more, expected in (
        (("--steps=9", "--prune.begin=5", "--prune.over=5"), "at most 9"),
        (("--parallelism.dp_shard=2",), "without parallelism.dp_shard"),
    ):
        with pytest.raises(ConfigError, match=expected):
            load(TrainPipelineConfig, arguments(tmp_path / "other", "--prune.amount=0.5", *more))
