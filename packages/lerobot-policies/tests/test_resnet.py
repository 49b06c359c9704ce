"""The network for pictures, against independent definitions."""

from pathlib import Path

import pytest
import torch
from torch import nn

from lerobot.core.errors import LeRobotError
from lerobot.policies.networks.resnet import FILES, LAYERS, FrozenBatchNorm2d, ResNet, group_norm, load_pretrained

# Parameters of torchvision's networks without their classifier: 512 or 2048 inputs times 1000 classes, and 1000 biases;
# minus those of batch normalisation, which is frozen here. Totals as published with the weights.
PUBLISHED = {"resnet18": 11_689_512, "resnet34": 21_797_672, "resnet50": 25_557_032, "resnet101": 44_549_160}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_backbone_has_the_published_parameters(name: str) -> None:
    with torch.device("meta"):
        network = ResNet(name)
    learned = sum(parameter.numel() for parameter in network.parameters())
    scales = sum(
        each.weight.numel() + each.bias.numel() for each in network.modules() if isinstance(each, FrozenBatchNorm2d)
    )
    assert learned + scales + (network.out_channels + 1) * 1000 == PUBLISHED[name]


@pytest.mark.parametrize(
    ("name", "dilated", "size"), [("resnet18", False, (2, 3)), ("resnet50", False, (2, 3)), ("resnet50", True, (4, 6))]
)
def test_a_backbone_divides_the_picture_by_its_stride(name: str, dilated: bool, size: tuple[int, int]) -> None:
    network = ResNet(name, dilate_last=dilated)
    assert network(torch.zeros(1, 3, 64, 96)).shape == (1, network.out_channels, *size)


def test_frozen_normalisation_is_that_of_evaluation_and_learns_nothing() -> None:
    reference, frozen = nn.BatchNorm2d(4).eval(), FrozenBatchNorm2d(4)
    for buffer in (reference.weight.data, reference.bias.data, reference.running_mean, reference.running_var):
        assert buffer is not None
        buffer.uniform_(0.1, 2.0)
    frozen.load_state_dict({name: each for name, each in reference.state_dict().items() if "num" not in name})
    pictures = torch.randn(2, 4, 3, 3)
    frozen.train()
    assert torch.allclose(frozen(pictures), reference(pictures), atol=1e-6)
    assert not list(frozen.parameters())


def published(folder: Path, name: str = "resnet18") -> dict[str, torch.Tensor]:
    """A file as torchvision publishes it: with a classifier, and counters of batches."""
    weights = ResNet(name).state_dict()
    weights |= {"fc.weight": torch.zeros(1000, 512), "bn1.num_batches_tracked": torch.tensor(0)}
    torch.save(weights, folder / FILES["ResNet18_Weights.IMAGENET1K_V1"])
    return weights


def test_published_weights_are_taken_from_the_cache_of_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    weights = published(tmp_path / "checkpoints")
    for name in ("ResNet18_Weights.IMAGENET1K_V1", "ResNet18_Weights.DEFAULT"):
        network = ResNet("resnet18")
        load_pretrained(network, name)
        assert torch.equal(network.conv1.weight, weights["conv1.weight"])


def test_weights_that_cannot_be_had_stop_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))

    def offline(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(LeRobotError, match="cannot be had: no route to host") as caught:
        load_pretrained(ResNet("resnet18"), "ResNet18_Weights.IMAGENET1K_V1")
    assert "--policy.pretrained_backbone_weights=null" in str(caught.value)


def test_every_backbone_but_the_smallest_has_published_weights() -> None:
    assert {name.partition("_")[0].lower() for name in FILES} == set(LAYERS) - {"resnet8"}


def test_normalisation_in_groups_replaces_every_other_one() -> None:
    network = ResNet("resnet18", norm=group_norm)
    found = [module for module in network.modules() if isinstance(module, nn.GroupNorm)]
    assert len(found) == 20
    assert {(each.num_channels, each.num_groups) for each in found} == {(64, 4), (128, 8), (256, 16), (512, 32)}


def test_published_weights_fit_normalisation_that_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Published files of old have no counters of batches."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    weights = published(tmp_path / "checkpoints")
    network = ResNet("resnet18", norm=nn.BatchNorm2d)
    load_pretrained(network, "ResNet18_Weights.IMAGENET1K_V1")
    assert torch.equal(network.get_parameter("layer4.1.bn2.weight"), weights["layer4.1.bn2.weight"])


def test_the_smallest_network_is_the_papers_for_small_pictures() -> None:
    """Channels 16, 32, 64 in three stages of one block; weights counted by hand, 7x7 stem included."""
    network = ResNet("resnet8")
    assert network.out_channels == 64
    assert network(torch.zeros(2, 3, 96, 64)).shape == (2, 64, 6, 4)
    stem, first = 3 * 49 * 16, 2 * 9 * 16 * 16
    second, third = 9 * 16 * 32 + 9 * 32 * 32 + 16 * 32, 9 * 32 * 64 + 9 * 64 * 64 + 32 * 64
    assert sum(weight.numel() for weight in network.parameters()) == stem + first + second + third
