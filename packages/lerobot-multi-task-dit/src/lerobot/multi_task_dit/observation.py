"""What is observed, as one vector: joints, what cameras see, and the task.

Source: Radford et al. 2021, arXiv:2103.00020 (CLIP); parameter names are those of huggingface/lerobot.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.multi_task_dit.config import MultiTaskDiTConfig
from lerobot.policies.features import OBSERVATION_STATE
from lerobot.policies.networks.clip import ClipImages, ClipTexts
from lerobot.policies.networks.keypoints import cut

_MOST_TEXTS = 4096


class ImageEncoder(nn.Module):
    """A CLIP that looks at images `(B, 3, H, W)` and describes each, `(B, width)`; see `TaskEncoder`."""

    def __init__(self, config: MultiTaskDiTConfig, *, from_scratch: bool) -> None:
        super().__init__()
        self.model = ClipImages(config.vision)
        if from_scratch and config.vision_size is None:
            self.model.load_published(config.vision_encoder_name)

    def forward(self, images: Tensor) -> Tensor:
        """See the class."""
        found: Tensor = self.model(images)
        return found


class TaskEncoder(nn.Module):
    """A CLIP that reads tasks, which does not learn, and a layer behind it, which does.

    It reads each task once: a robot is told the same at every tick, and a dataset has few.

    Args:
        config: which one.
        from_scratch: fetch its published weights; false if all weights will be loaded.
    """

    def __init__(self, config: MultiTaskDiTConfig, *, from_scratch: bool) -> None:
        super().__init__()
        self.text_encoder = ClipTexts(config.text).requires_grad_(False)
        if from_scratch and config.text_size is None:
            self.text_encoder.load_published(config.text_encoder_name)
        self.projection = nn.Linear(config.text.width, config.hidden_dim)
        self._read: dict[bytes, Tensor] = {}
        self._read_with: object = None

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Map tokens `(B, L)` and their mask `(B, L)` bool to `(B, hidden_dim)`."""
        found: Tensor = self.projection(self._features(tokens, mask))
        return found

    def _features(self, tokens: Tensor, mask: Tensor) -> Tensor:
        weights = list(self.text_encoder.parameters())
        if torch.compiler.is_compiling() or any(weight.requires_grad for weight in weights):
            # It is traced, or an adapter learns here.
            found: Tensor = self.text_encoder(tokens, mask)
            return found
        device = tokens.device.type
        # Weights of inference mode have no version, and cannot change.
        reading = [(each.data_ptr(), None if each.is_inference() else each._version) for each in weights]
        reading.append((torch.is_autocast_enabled(device), None))
        if reading != self._read_with or len(self._read) > _MOST_TEXTS:
            self._read, self._read_with = {}, reading
        texts = [row.numpy().tobytes() for row in torch.stack([tokens, mask.to(tokens)], dim=1).cpu()]
        new = {text: row for row, text in enumerate(texts) if text not in self._read}
        if new:
            rows = list(new.values())
            # What is kept will be learned from too, which rules out inference mode.
            with torch.inference_mode(False), torch.no_grad():
                self._read.update(zip(new, self.text_encoder(tokens[rows], mask[rows]), strict=True))
        return torch.stack([self._read[text] for text in texts])


class ObservationEncoder(nn.Module):
    """Observations, and a task, to vectors.

    Args:
        config: settings and features.
        from_scratch: fetch the published weights of the encoders; false if all weights will be loaded.

    Raises:
        CheckpointError: an encoder, or its weights, are not there.
    """

    def __init__(self, config: MultiTaskDiTConfig, *, from_scratch: bool) -> None:
        super().__init__()
        self.config = config
        self._cameras = list(config.image_features)
        if self._cameras and config.use_separate_rgb_encoder_per_camera:
            encoders = (ImageEncoder(config, from_scratch=from_scratch) for _ in self._cameras)
            self.vision_encoders = nn.ModuleList(encoders)
        elif self._cameras:
            self.vision_encoder = ImageEncoder(config, from_scratch=from_scratch)
        self.text_encoder = TaskEncoder(config, from_scratch=from_scratch)

    @property
    def width(self) -> int:
        """Numbers that describe one step: joints, cameras, task."""
        state, seen = self.config.input_features[OBSERVATION_STATE], self.config.vision.width if self._cameras else 0
        return state.shape[0] + seen * len(self._cameras) + self.config.hidden_dim

    def look(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Describe observations, every input `(N, ...)`, but for the task: `(N, D)`."""
        parts = [observations[OBSERVATION_STATE]]
        images = [observations[camera] for camera in self._cameras]
        if images and self.config.use_separate_rgb_encoder_per_camera:
            parts += [encoder(self._sized(each)) for encoder, each in zip(self.vision_encoders, images, strict=True)]
        elif images:
            # All at once: while training, all share one window.
            together = torch.stack(images, dim=1).flatten(0, 1)
            parts.append(self.vision_encoder(self._sized(together)).unflatten(0, (-1, len(images))).flatten(1))
        return torch.cat(parts, dim=-1)

    def _sized(self, images: Tensor) -> Tensor:
        resize, crop = self.config.image_resize_shape, self.config.crop
        if resize is not None:
            images = F.interpolate(images, resize, mode="bilinear", antialias=True)
        if crop is not None:
            images = cut(images, crop, anywhere=self.training and self.config.image_crop_is_random)
        return images

    def vision_parameters(self) -> Iterator[nn.Parameter]:
        """Parameters of the encoders for images, in the order by which saved optimizer states know them."""
        for encoder in self.modules():
            if isinstance(encoder, ClipImages):
                yield from encoder.parameters_in_published_order()
