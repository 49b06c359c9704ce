"""The network; names are those of published checkpoints."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.core.errors import FeatureMismatchError
from lerobot.hilserl.classifier_config import ClassifierConfig
from lerobot.hilserl.config import CONVOLUTIONS
from lerobot.hilserl.networks import SmallImageEncoder, SpatialEmbedding, image_model

PRETRAINED_MAP = (4, 4)
"""Places of the map of an encoder of transformers: pictures of 128 by 128 pixels and a stride of 32."""
SMALL_WIDTH = 32


class Classifier(nn.Module):
    """Says of pictures whether they show the task solved.

    An encoder of transformers stays as it is, and so does what lies between it and the head, as published: random
    weights that are drawn once. The four convolutions learn, and all behind them.

    Args:
        config: see `ClassifierConfig`, pictures included.
        from_scratch: read the encoder's weights; false if all are about to be loaded.

    Raises:
        FeatureMismatchError: there are no pictures, or they do not fit.
        LeRobotError: the encoder cannot be made.
    """

    def __init__(self, config: ClassifierConfig, *, from_scratch: bool = True) -> None:
        super().__init__()
        self.config = config
        self.cameras = config.cameras
        count = config.num_cameras or len(self.cameras)
        if not self.cameras or count != len(self.cameras):
            raise FeatureMismatchError(
                f"the classifier looks at {len(self.cameras)} pictures, and num_cameras is {config.num_cameras}",
                keys=self.cameras,
                expected="as many pictures among its inputs, at least one",
            )
        self.learns = config.model_name is None
        self.is_cnn = config.model_type == "cnn"
        self.encoder, shape = self._encoder(from_scratch=from_scratch)
        width = shape[0]
        if self.is_cnn:
            width = config.latent_dim
            self.encoders = nn.ModuleDict({key.replace(".", "_"): self._described(shape) for key in self.cameras})
        self.classifier_head = nn.Sequential(
            nn.Linear(width * count, config.hidden_dim),
            nn.Dropout(config.dropout_rate),
            nn.LayerNorm(config.hidden_dim),
            nn.ReLU(),
            nn.Linear(config.hidden_dim, 1 if config.num_classes == 2 else config.num_classes),
        )

    def _encoder(self, *, from_scratch: bool) -> tuple[nn.Module, tuple[int, int, int]]:
        """The image encoder, and the shape of its map."""
        name = self.config.model_name
        if name is None:
            shape = self.config.input_features[self.cameras[0]].shape
            places = list(shape[1:])
            for size, stride in CONVOLUTIONS:
                places = [(each - size) // stride + 1 for each in places]
            if min(places) < 1:
                raise FeatureMismatchError(
                    f"pictures have the shape {shape}", keys=self.cameras, expected="at least 39 pixels"
                )
            return SmallImageEncoder(shape[0], SMALL_WIDTH), (SMALL_WIDTH, places[0], places[1])
        model: Any = image_model(name, from_scratch=from_scratch)
        model = dict(model.named_children()).get("vision_model", model)
        model.requires_grad_(False)
        widths = model.config
        width = int(widths.hidden_sizes[-1]) if self.is_cnn else int(widths.hidden_size)
        return model, (width, *PRETRAINED_MAP)

    def _described(self, shape: tuple[int, int, int]) -> nn.Sequential:
        config, sums = self.config, self.config.image_embedding_pooling_dim
        return nn.Sequential(
            self.encoder,
            SpatialEmbedding(shape, sums),
            nn.Dropout(config.dropout_rate),
            nn.Linear(shape[0] * sums, config.latent_dim),
            nn.LayerNorm(config.latent_dim),
            nn.Tanh(),
        )

    def forward(self, images: Mapping[str, Tensor]) -> Tensor:
        """Judge pictures.

        Args:
            images: every camera's, `(B, C, H, W)`, normalised.

        Returns:
            Logits, `(B,)` of success; `(B, classes)` of several.

        Raises:
            FeatureMismatchError: a camera's are missing.
        """
        if missing := [key for key in self.cameras if key not in images]:
            raise FeatureMismatchError(f"the classifier got no {', '.join(missing)}", keys=missing)
        with nullcontext() if self.learns else torch.no_grad():
            seen = torch.cat([self._seen(key, images[key]) for key in self.cameras], dim=-1)
        logits: Tensor = self.classifier_head(seen)
        return logits.squeeze(-1) if self.config.num_classes == 2 else logits

    def _seen(self, key: str, images: Tensor) -> Tensor:
        if not self.is_cnn:
            tokens: Tensor = self.encoder(images).last_hidden_state
            return tokens[:, 0]
        features = self.encoder(images)
        layers: Sequence[nn.Module] = list(self.encoders[key.replace(".", "_")])[1:]  # type: ignore[call-overload]
        described: Tensor = features if self.learns else features.last_hidden_state
        for layer in layers:
            described = layer(described)
        return described

    def loss(self, images: Mapping[str, Tensor], labels: Tensor) -> tuple[Tensor, Tensor]:
        """Cross entropy, and what part of the pictures is judged right.

        Args:
            images: as for `forward`.
            labels: rewards, `(B,)`: 0 or 1, or the number of a class.
        """
        logits = self(images)
        if self.config.num_classes == 2:
            loss = F.binary_cross_entropy_with_logits(logits, labels)
            said = (logits > 0).to(labels.dtype)
        else:
            loss, said = F.cross_entropy(logits, labels.long()), logits.argmax(dim=1).to(labels.dtype)
        return loss, (said == labels).float().mean()

    @torch.no_grad()
    def rewards(self, images: Mapping[str, Tensor]) -> Tensor:
        """Probability of success, `(B,)`; of several classes the number of the likeliest."""
        logits: Tensor = self(images)
        return logits.sigmoid() if self.config.num_classes == 2 else logits.argmax(dim=1).float()
