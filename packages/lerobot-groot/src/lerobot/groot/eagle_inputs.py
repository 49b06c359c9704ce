"""What Eagle takes: tokens of a conversation, and pixels."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors import EnvTransition, ProcessorStep, TransitionKey
from lerobot.core.processors.transition import copied
from lerobot.groot.chat import TEMPLATE, TOKENIZER_FILES, Conversation, ImageWords, keep_files
from lerobot.groot.packing import LANGUAGE, VIDEO
from lerobot.groot.step_configs import CollateConfig, EncodeConfig
from lerobot.policies.processing.tokenizer import LanguageStep, load_tokenizer

CONTENT = "eagle_content"
TOKENS, ATTENTION_MASK, PIXELS = "eagle_input_ids", "eagle_attention_mask", "eagle_pixel_values"
IMAGE_SIZES = "eagle_image_sizes"


class EncodeStep(ProcessorStep):
    """Writes each row's task into a conversation with the images of its cameras.

    The task is said as a list of one text, with brackets and quotes, as Eagle was taught.

    Raises:
        CheckpointError: the template is not there.
    """

    config: EncodeConfig

    def __init__(self, config: EncodeConfig) -> None:
        super().__init__(config)
        self._conversation = Conversation.of(config.tokenizer_assets_repo)

    def save_artifacts(self, directory: Path) -> dict[str, str]:
        """Save a template that no name on the Hub stands for."""
        return _saved(self.config.tokenizer_assets_repo, (TEMPLATE,), directory, "eagle_template")

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Write."""
        data = transition.get(TransitionKey.COMPLEMENTARY_DATA) or {}
        cameras = (transition.get(TransitionKey.OBSERVATION) or {}).get(VIDEO)
        if cameras is None:
            raise FeatureMismatchError(f"{self.registry_name} got no images", expected="those of at least one camera")
        written = [self._conversation.written(str([task]), len(cameras)) for task in data[LANGUAGE]]
        return {**transition, TransitionKey.COMPLEMENTARY_DATA: {**data, CONTENT: written}}


class CollateStep(LanguageStep):
    """Makes tokens of conversations, padded on the left, and pixels of images.

    Added are `eagle_input_ids` and `eagle_attention_mask` `(B, L)` int64, `eagle_pixel_values` `(B * V, 3, S, S)`
    float32, row by row, and `eagle_image_sizes` `(B * V, 2)` int64, height and width before. Images are brought to a
    square whatever they are, bicubic and with smoothing.

    Raises:
        CheckpointError: the tokenizer, or a file beside it, is not there.
        LeRobotError: `transformers` is not installed.
    """

    config: CollateConfig

    def __init__(self, config: CollateConfig) -> None:
        super().__init__(config)
        self._words = ImageWords.of(config.tokenizer_assets_repo)
        self.tokenizer = load_tokenizer(config.tokenizer_assets_repo, "tokenizer_assets_repo")

    @property
    def source(self) -> str:
        """See `LanguageStep.source`."""
        return str(self.config.tokenizer_assets_repo)

    def save_artifacts(self, directory: Path) -> dict[str, str]:
        """Save a tokenizer that no name on the Hub stands for, and the files beside it."""
        return _saved(self.config.tokenizer_assets_repo, TOKENIZER_FILES, directory, "eagle_tokenizer")

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Make them."""
        observation = copied(transition.get(TransitionKey.OBSERVATION) or {})
        data = dict(transition.get(TransitionKey.COMPLEMENTARY_DATA) or {})
        cameras, written = observation.pop(VIDEO), data.pop(CONTENT)
        texts = [self._words.put_into(each, len(cameras)) for each in written]
        encoded = self.tokenizer(texts, padding=True, padding_side="left", return_tensors="pt")
        device = cameras[0].device
        pixels = torch.stack([self._pixels(each) for each in cameras], dim=1).flatten(0, 1)
        sizes = torch.tensor([each.shape[-2:] for each in cameras]).repeat(len(texts), 1)
        data |= {
            TOKENS: encoded["input_ids"].to(device),
            ATTENTION_MASK: encoded["attention_mask"].to(device),
            PIXELS: pixels,
            IMAGE_SIZES: sizes.to(device),
        }
        return {**transition, TransitionKey.OBSERVATION: observation, TransitionKey.COMPLEMENTARY_DATA: data}

    def _pixels(self, images: Tensor) -> Tensor:
        side, words = self._words.side, self._words
        if images.shape[-2:] != (side, side):
            # In bytes, as published weights were trained; no other device than a CPU does so.
            images = F.interpolate(images.cpu(), (side, side), mode="bicubic", antialias=True).to(images.device)
        mean, deviation = (
            (torch.tensor(each) * (1.0 / words.factor)).to(images.device)[:, None, None]
            for each in (words.mean, words.deviation)
        )
        return (images.float() - mean) / deviation


def _saved(source: str, names: tuple[str, ...], directory: Path, folder: str) -> dict[str, Any]:
    if not Path(source).exists():
        return {}
    keep_files(source, names, directory / folder)
    return {"tokenizer_assets_repo": folder}
