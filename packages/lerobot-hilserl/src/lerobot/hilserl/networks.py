"""What actor and critics see through, and the layers behind it; names are those of published checkpoints."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lerobot.core.errors import LeRobotError
from lerobot.core.extras import require
from lerobot.hilserl.config import CONVOLUTIONS, GaussianActorConfig
from lerobot.policies.features import OBSERVATION_ENVIRONMENT_STATE, OBSERVATION_STATE


class MLP(nn.Module):
    """Linear layers, each normalised and activated but perhaps the last.

    Args:
        inputs: numbers in.
        widths: of the layers.
        activate_final: normalise and activate the last one too.
        final_activation: name of its activation in `torch.nn`; SiLU if None.
    """

    def __init__(
        self, inputs: int, widths: Sequence[int], *, activate_final: bool = True, final_activation: str | None = None
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for number, width in enumerate(widths):
            layers.append(nn.Linear(inputs, width))
            is_last = number == len(widths) - 1
            if not is_last or activate_final:
                chosen = final_activation if is_last and final_activation else "SiLU"
                layers += [nn.LayerNorm(width), getattr(nn, chosen)()]
            inputs = width
        self.net = nn.Sequential(*layers)

    def forward(self, values: Tensor) -> Tensor:
        """Map `(..., inputs)` to `(..., widths[-1])`."""
        mapped: Tensor = self.net(values)
        return mapped


class SpatialEmbedding(nn.Module):
    """Weighted sums over the places of a map, several per channel.

    Args:
        shape: of the map, `(C, h, w)`.
        sums: per channel.
    """

    def __init__(self, shape: tuple[int, int, int], sums: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(*shape, sums))
        nn.init.kaiming_normal_(self.kernel, mode="fan_in", nonlinearity="linear")

    def forward(self, features: Tensor) -> Tensor:
        """Map `(B, C, h, w)` to `(B, C * sums)`."""
        # In the order of memory in which dropout draws, whatever einsum gives.
        return torch.einsum("bchw,chws->bcs", features, self.kernel).flatten(1).contiguous()


class SmallImageEncoder(nn.Module):
    """Four convolutions.

    Args:
        channels: of pictures.
        width: channels of each convolution.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for size, stride in CONVOLUTIONS:
            layers += [nn.Conv2d(channels, width, size, stride), nn.ReLU()]
            channels = width
        self.image_enc_layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Map `(B, C, H, W)` to `(B, width, h, w)`."""
        features: Tensor = self.image_enc_layers(images)
        return features


class PretrainedImageEncoder(nn.Module):
    """An image encoder of the transformers library.

    Args:
        name: folder, or repository on the Hub; code of a repository is never run.
        from_scratch: read its weights; false if they are about to be loaded.

    Raises:
        LeRobotError: `transformers` is not installed, or there is no such encoder.
    """

    def __init__(self, name: str, *, from_scratch: bool) -> None:
        super().__init__()
        self.image_enc_layers = image_model(name, from_scratch=from_scratch)

    def forward(self, images: Tensor) -> Tensor:
        """Map `(B, C, H, W)` to `(B, C', h, w)`."""
        features: Tensor = self.image_enc_layers(images).last_hidden_state
        return features


def image_model(name: str, *, from_scratch: bool) -> nn.Module:
    """Make an image encoder of the transformers library; see `PretrainedImageEncoder`."""
    require("transformers", extra="transformers", needed_by=f"the image encoder {name}", distribution="lerobot-hilserl")
    from transformers import AutoConfig, AutoModel

    try:
        if from_scratch:
            model: nn.Module = AutoModel.from_pretrained(name)
        else:
            model = AutoModel.from_config(AutoConfig.from_pretrained(name))  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise LeRobotError(
            f"there is no image encoder {name}: {str(error).splitlines()[0]}",
            expected="a folder or repository that the transformers library reads without code of its own",
        ) from error
    return model


class ObservationEncoder(nn.Module):
    """Pictures, state of the world and state of the robot as one vector.

    Args:
        config: of the policy.
        from_scratch: see `PretrainedImageEncoder`.
    """

    def __init__(self, config: GaussianActorConfig, *, from_scratch: bool) -> None:
        super().__init__()
        self.cameras = tuple(config.image_features)
        latent = config.latent_dim
        if self.cameras:
            self.image_encoder, shape = _image_encoder(config, from_scratch=from_scratch)
            sums = config.image_embedding_pooling_dim
            names = [camera.replace(".", "_") for camera in self.cameras]
            self.spatial_embeddings = nn.ModuleDict({name: SpatialEmbedding(shape, sums) for name in names})
            self.post_encoders = nn.ModuleDict(
                {
                    name: nn.Sequential(
                        nn.Dropout(0.1), nn.Linear(shape[0] * sums, latent), nn.LayerNorm(latent), nn.Tanh()
                    )
                    for name in names
                }
            )
        self.vectors = {}
        for key, name in ((OBSERVATION_ENVIRONMENT_STATE, "env_encoder"), (OBSERVATION_STATE, "state_encoder")):
            if key in config.input_features:
                width = config.input_features[key].shape[0]
                self.add_module(name, nn.Sequential(nn.Linear(width, latent), nn.LayerNorm(latent), nn.Tanh()))
                self.vectors[key] = name
        self.width = latent * (len(self.cameras) + len(self.vectors))

    def maps(self, observation: Mapping[str, Tensor]) -> Tensor | None:
        """Features of all cameras' pictures, `(cameras, B, C, h, w)`, as far as they do not depend on what is learned.

        Args:
            observation: pictures `(B, C, H, W)`, and more.
        """
        if not self.cameras:
            return None
        features: Tensor = self.image_encoder(torch.cat([observation[camera] for camera in self.cameras]))
        return features.view(len(self.cameras), -1, *features.shape[1:])

    def forward(
        self, observation: Mapping[str, Tensor], maps: Tensor | None = None, *, detached: bool = False
    ) -> Tensor:
        """Describe an observation, `(B, width)`.

        Args:
            observation: all inputs, `(B, ...)`.
            maps: what `maps` gave for it, if that is known already.
            detached: let no gradient reach what pictures go through.
        """
        parts: list[Tensor] = []
        if self.cameras:
            maps = self.maps(observation) if maps is None else maps
            assert maps is not None  # noqa: S101 - there are cameras
            for camera, features in zip(self.cameras, maps, strict=True):
                name = camera.replace(".", "_")
                seen = self.post_encoders[name](self.spatial_embeddings[name](features))
                parts.append(seen.detach() if detached else seen)
        parts += [self.get_submodule(name)(observation[key]) for key, name in self.vectors.items()]
        return torch.cat(parts, dim=-1)


def _image_encoder(config: GaussianActorConfig, *, from_scratch: bool) -> tuple[nn.Module, tuple[int, int, int]]:
    """The image encoder, and the shape of its map."""
    shape = next(iter(config.image_features.values())).shape
    if config.vision_encoder_name is None:
        encoder: nn.Module = SmallImageEncoder(shape[0], config.image_encoder_hidden_dim)
        found: tuple[Any, ...] = (config.image_encoder_hidden_dim, *config.seen(shape))
    else:
        encoder = PretrainedImageEncoder(config.vision_encoder_name, from_scratch=from_scratch)
        device = next(encoder.parameters()).device
        with torch.no_grad():
            found = tuple(encoder(torch.zeros(1, *shape, device=device)).shape[1:])
    if config.freeze_vision_encoder:
        encoder.requires_grad_(False)
    return encoder, (found[0], found[1], found[2])


class DiscreteCritic(nn.Module):
    """Worth of each choice.

    Args:
        encoder: what it sees through.
        choices: how many there are.
        layers: between them; see `MLP`.
    """

    def __init__(self, encoder: ObservationEncoder, choices: int, layers: Mapping[str, Any]) -> None:
        super().__init__()
        self.encoder = encoder
        self.net = mlp(encoder.width, layers)
        self.output_layer = nn.Linear(layers["hidden_dims"][-1], choices)
        nn.init.orthogonal_(self.output_layer.weight)

    def forward(self, observation: Mapping[str, Tensor], maps: Tensor | None = None) -> Tensor:
        """Judge the choices, `(B, choices)`."""
        worth: Tensor = self.output_layer(self.net(self.encoder(observation, maps)))
        return worth


def mlp(inputs: int, layers: Mapping[str, Any]) -> MLP:
    """Make an MLP as a section of a configuration says."""
    return MLP(
        inputs,
        layers["hidden_dims"],
        activate_final=layers["activate_final"],
        final_activation=layers.get("final_activation"),
    )
