"""What Qwen3-VL takes: tokens of a conversation, and patches of the images in it."""

from pathlib import Path

import torch
from torch import Tensor

from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.core.processors import EnvTransition, TransitionKey
from lerobot.core.processors.transition import copied
from lerobot.groot.chat import keep_files
from lerobot.groot.n17.frames import IMAGES, Patches, framed
from lerobot.groot.n17.packing import is_learning
from lerobot.groot.n17.step_configs import EncodeConfig
from lerobot.groot.packing import LANGUAGE, VIDEO
from lerobot.policies.processing.tokenizer import LanguageStep, load_tokenizer

TOKENS, ATTENTION_MASK, KINDS = "input_ids", "attention_mask", "mm_token_type_ids"
PATCHES, GRIDS = "pixel_values", "image_grid_thw"

_PART = "<|image_pad|>"
FILES = (
    *("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "added_tokens.json"),
    *("special_tokens_map.json", "chat_template.jinja", "chat_template.json", IMAGES, "video_preprocessor_config.json"),
)
"""Files that are saved with a policy, those of them that there are."""


class EncodeStep(LanguageStep):
    """Writes each row's task into a conversation behind its images, and makes tokens and patches.

    Added are `input_ids`, `attention_mask` and `mm_token_type_ids` `(B, L)` int64, filled up on the left, and, of the
    images of all rows, row by row, `pixel_values` `(patches, width)` float32 and `image_grid_thw` `(images, 3)` int64.

    Raises:
        CheckpointError: the tokenizer, its template, or a file beside it is not there.
        LeRobotError: `transformers` is not installed.
    """

    config: EncodeConfig

    def __init__(self, config: EncodeConfig) -> None:
        super().__init__(config)
        self.tokenizer = load_tokenizer(config.model_name, "model_name")
        if not self.tokenizer.chat_template:
            raise CheckpointError(f"tokenizer {config.model_name!r} has no chat_template")
        self._patches = Patches.of(config.model_name)

    @property
    def source(self) -> str:
        """See `LanguageStep.source`."""
        return str(self.config.model_name)

    def save_artifacts(self, directory: Path) -> dict[str, str]:
        """Save a tokenizer that no name on the Hub stands for, and the files beside it."""
        if not Path(self.source).exists():
            return {}
        keep_files(self.source, FILES, directory / "qwen3_vl")
        return {"model_name": "qwen3_vl"}

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Make them."""
        observation = copied(transition.get(TransitionKey.OBSERVATION) or {})
        data = dict(transition.get(TransitionKey.COMPLEMENTARY_DATA) or {})
        video: list[Tensor] | None = observation.pop(VIDEO, None)
        if video is None:
            raise FeatureMismatchError(f"{self.registry_name} got no images", expected="those of at least one camera")
        patches, grids = self._seen(video, learning=is_learning(transition))
        tasks = data[LANGUAGE]
        per_row = len(grids) // len(tasks)
        texts = [self._written(task, grids[row * per_row :][:per_row]) for row, task in enumerate(tasks)]
        encoded = self.tokenizer(texts, padding=True, padding_side="left", return_tensors="pt")
        device, tokens = patches.device, encoded["input_ids"]
        data |= {
            TOKENS: tokens.to(device),
            ATTENTION_MASK: encoded["attention_mask"].to(device),
            KINDS: (tokens == self.tokenizer.convert_tokens_to_ids(_PART)).long().to(device),
            PATCHES: patches,
            GRIDS: torch.tensor(grids, device=device),
        }
        return {**transition, TransitionKey.OBSERVATION: observation, TransitionKey.COMPLEMENTARY_DATA: data}

    def _seen(self, video: list[Tensor], *, learning: bool) -> tuple[Tensor, list[tuple[int, int, int]]]:
        """Patches of all images and their grids: row by row, of a row time by time, of a time camera by camera."""
        rows, times = video[0].shape[:2]
        places = None
        if learning and self.config.use_albumentations:
            # All images of a row are cut at one place, so that what one camera sees stays where another one sees it.
            places = [(float(down), float(right)) for down, right in torch.rand(rows, 2).tolist() for _ in range(times)]
        made = [self._patches(framed(each.flatten(0, 1), self.config, places)) for each in video]
        order = [(place, camera) for place in range(rows * times) for camera in range(len(video))]
        patches = torch.cat([made[camera][0][place] for place, camera in order])
        return patches, [made[camera][1] for _, camera in order]

    def _written(self, task: str, grids: list[tuple[int, int, int]]) -> str:
        content = [*({"type": "image"} for _ in grids), {"type": "text", "text": task}]
        text: str = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=False
        )
        before, *behind = text.split(_PART)
        if len(behind) != len(grids):
            raise FeatureMismatchError(
                f"{len(behind)} places for {len(grids)} images in {text!r}",
                keys=[LANGUAGE],
                expected=f"one each, and no {_PART} in the task",
            )
        counts = [times * rows * columns // self._patches.tokens_per for times, rows, columns in grids]
        return before + "".join(_PART * count + each for count, each in zip(counts, behind, strict=True))
