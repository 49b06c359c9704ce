"""ResNet without its classifier, under torchvision's names.

torchvision itself is not needed: its wheels must match torch's exactly, which wheels for the CPU often do not.

Source: He et al. 2015, arXiv:1512.03385; the stride of a bottleneck is in its 3x3 convolution, as in torchvision.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.core.errors import LeRobotError

Norm = Callable[[int], nn.Module]
"""Makes the normalisation of so many channels."""

LAYERS: dict[str, tuple[int, ...]] = {
    "resnet8": (1, 1, 1),
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
    "resnet152": (3, 8, 36, 3),
}
_WITHOUT_BOTTLENECK = {"resnet8", "resnet18", "resnet34"}

FILES = {
    "ResNet18_Weights.IMAGENET1K_V1": "resnet18-f37072fd.pth",
    "ResNet34_Weights.IMAGENET1K_V1": "resnet34-b627a593.pth",
    "ResNet50_Weights.IMAGENET1K_V1": "resnet50-0676ba61.pth",
    "ResNet50_Weights.IMAGENET1K_V2": "resnet50-11ad3fa6.pth",
    "ResNet101_Weights.IMAGENET1K_V1": "resnet101-63fe2227.pth",
    "ResNet101_Weights.IMAGENET1K_V2": "resnet101-cd907fc2.pth",
    "ResNet152_Weights.IMAGENET1K_V1": "resnet152-394f9c45.pth",
    "ResNet152_Weights.IMAGENET1K_V2": "resnet152-f82ba261.pth",
}
"""Published files by the name of the weights; the end of a file's name is the start of its SHA-256."""

_ADDRESS = "https://download.pytorch.org/models/"


class FrozenBatchNorm2d(nn.Module):
    """Batch normalisation with constant statistics: small batches would spoil them.

    Args:
        channels: channels of the input.
    """

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, features: Tensor) -> Tensor:
        """Scale and shift each channel of `(B, C, H, W)`."""
        # Written out, because torch's own function is ten times slower backwards on the CPU.
        scale = self.weight * (self.running_var + 1e-5).rsqrt()
        shift = self.bias - self.running_mean * scale
        return features * scale[:, None, None] + shift[:, None, None]


def group_norm(channels: int) -> nn.Module:
    """Make a normalisation over groups of 16 channels: it depends on no batch."""
    return nn.GroupNorm(channels // 16, channels)


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    padding = dilation * (kernel // 2)
    return nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, dilation=dilation, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    expansion = 1

    def __init__(
        self, inputs: int, width: int, stride: int, dilation: int, downsample: nn.Module | None, norm: Norm
    ) -> None:
        super().__init__()
        self.conv1 = _conv(inputs, width, 3, stride, dilation)
        self.bn1 = norm(width)
        self.conv2 = _conv(width, width, 3, dilation=dilation)
        self.bn2 = norm(width)
        self.downsample = downsample

    def forward(self, features: Tensor) -> Tensor:
        """Map `(B, C, H, W)` to `(B, C', H', W')`."""
        shortcut = features if self.downsample is None else self.downsample(features)
        features = F.relu(self.bn1(self.conv1(features)), inplace=True)
        return F.relu(self.bn2(self.conv2(features)) + shortcut, inplace=True)


class Bottleneck(nn.Module):
    """A 3x3 convolution between two 1x1 ones, around a shortcut."""

    expansion = 4

    def __init__(
        self, inputs: int, width: int, stride: int, dilation: int, downsample: nn.Module | None, norm: Norm
    ) -> None:
        super().__init__()
        self.conv1 = _conv(inputs, width, 1)
        self.bn1 = norm(width)
        self.conv2 = _conv(width, width, 3, stride, dilation)
        self.bn2 = norm(width)
        self.conv3 = _conv(width, width * self.expansion, 1)
        self.bn3 = norm(width * self.expansion)
        self.downsample = downsample

    def forward(self, features: Tensor) -> Tensor:
        """Map `(B, C, H, W)` to `(B, C', H', W')`."""
        shortcut = features if self.downsample is None else self.downsample(features)
        features = F.relu(self.bn1(self.conv1(features)), inplace=True)
        features = F.relu(self.bn2(self.conv2(features)), inplace=True)
        return F.relu(self.bn3(self.conv3(features)) + shortcut, inplace=True)


class ResNet(nn.Module):
    """Pictures to a map of features.

    Its children, applied in turn, are the network.

    Args:
        name: `"resnet8"` to `"resnet152"`. The first is for small pictures and learning on a CPU: three stages of 16,
            32 and 64 channels, as the paper has them for pictures of 32 pixels, behind the stem of the others.
        norm: makes the normalisations.
        dilate_last: keep the last stage at a stride of 16 instead of 32; bottleneck networks only.
    """

    def __init__(self, name: str, *, norm: Norm = FrozenBatchNorm2d, dilate_last: bool = False) -> None:
        super().__init__()
        block = BasicBlock if name in _WITHOUT_BOTTLENECK else Bottleneck
        narrowest, stages = 16 if name == "resnet8" else 64, LAYERS[name]
        self.stride = 2 ** (1 + len(stages) - dilate_last)
        self.out_channels = narrowest * 2 ** (len(stages) - 1) * block.expansion
        self.conv1 = nn.Conv2d(3, narrowest, 7, stride=2, padding=3, bias=False)
        self.bn1 = norm(narrowest)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        inputs = narrowest
        for stage, depth in enumerate(stages):
            width, last = narrowest * 2**stage, stage == 3
            dilated = dilate_last and last
            stride = 1 if stage == 0 or dilated else 2
            blocks = []
            for index in range(depth):
                first = index == 0
                outputs = width * block.expansion
                step = stride if first else 1
                downsample = None
                if first and (stride != 1 or inputs != outputs):
                    downsample = nn.Sequential(_conv(inputs, outputs, 1, stride), norm(outputs))
                blocks.append(block(inputs, width, step, 2 if dilated and not first else 1, downsample, norm))
                inputs = outputs
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, pictures: Tensor) -> Tensor:
        """Map `(B, 3, H, W)` to `(B, out_channels, H / 32, W / 32)`, `H / 16` for resnet8, sizes rounded up."""
        features = pictures
        for module in self.children():
            features = module(features)
        return features


def load_pretrained(network: ResNet, weights: str) -> None:
    """Fill a network with published weights, from the cache of torch or the network.

    Args:
        network: what to fill.
        weights: such as `"ResNet18_Weights.IMAGENET1K_V1"`; `DEFAULT` is the newest version.

    Raises:
        LeRobotError: they cannot be had.
    """
    family, _, version = weights.partition(".")
    names = [name for name in FILES if name.startswith(f"{family}.")]
    file = FILES[names[-1] if version == "DEFAULT" else weights]
    try:
        published = torch.hub.load_state_dict_from_url(_ADDRESS + file, progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:
        raise LeRobotError(
            f"the pretrained backbone weights {weights} cannot be had: {error}",
            expected=f"a connection to {_ADDRESS}, or {file} in {torch.hub.get_dir()}/checkpoints",
            hint="To start from random weights instead: --policy.pretrained_backbone_weights=null",
        ) from error
    own = network.state_dict()
    network.load_state_dict({name: tensor for name, tensor in published.items() if name in own})
