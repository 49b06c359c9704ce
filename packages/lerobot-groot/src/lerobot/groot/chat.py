"""The files beside Eagle's tokenizer: how a conversation is written, and what images become.

Source: the files of lerobot/eagle2hg-processor-groot-n1p5.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lerobot.core.errors import CheckpointError
from lerobot.core.json_file import read_json
from lerobot.policies.checkpoint.files import Checkpoint

TEMPLATE, IMAGES, WORDS = "chat_template.json", "preprocessor_config.json", "processor_config.json"
TOKENIZER_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"),
    *("added_tokens.json", "special_tokens_map.json", IMAGES, WORDS),
)
"""Files that are saved with a policy, those of them that there are."""

_BICUBIC = 3
_IMAGE_MEAN = 0.5


def keep_files(source: str, names: Sequence[str], folder: Path) -> None:
    """Copy files from a folder or the Hub, those of them that there are."""
    checkpoint = Checkpoint.at(source)
    folder.mkdir()
    for name in names:
        if (path := checkpoint.find(name)) is not None:
            shutil.copyfile(path, folder / name)


class Conversation:
    """Writes what is said to Eagle: images, then a text.

    Args:
        template: of Jinja.
        place: where it comes from, for messages.

    Raises:
        CheckpointError: it is no template.
    """

    def __init__(self, template: str, place: str) -> None:
        self._made_of = (template, place)
        # What a file from elsewhere says runs in a box, with the rules that published templates are written for.
        box = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        try:
            self._template = box.from_string(template)
        except TemplateError as error:
            raise CheckpointError(f"{place} holds no template: {error}") from error

    @classmethod
    def of(cls, source: str) -> Self:
        """Read it.

        Args:
            source: folder or Hub repository with `chat_template.json`.

        Raises:
            CheckpointError: there is none, or it is damaged.
        """
        path = Checkpoint.at(source).file(TEMPLATE)
        try:
            return cls(str(read_json(path)["chat_template"]), str(path))
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{path} holds no template: {error}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies are made anew: what Jinja makes of a template cannot be copied."""
        return type(self), self._made_of

    def written(self, text: str, images: int) -> str:
        """Write a text that is said with so many images, up to where the answer begins.

        Raises:
            CheckpointError: the template does what no template needs to.
        """
        content = [*({"type": "image"} for _ in range(images)), {"type": "text", "text": text}]
        messages = [{"role": "user", "content": content}]
        try:
            return self._template.render(messages=messages, add_generation_prompt=True)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise CheckpointError(f"the template in {self._made_of[1]} fails: {error}") from error


@dataclass(frozen=True, slots=True)
class ImageWords:
    """What an image is in a conversation, and what its pixels become.

    Attributes:
        begin: word before it.
        part: word that each of its parts takes the place of.
        end: word behind it.
        parts: how many it has.
        side: height and width that it is brought to, pixels.
        factor: pixels times this are what mean and deviation are of.
        mean: of each colour, taken away.
        deviation: of each colour, divided by.
    """

    begin: str
    part: str
    end: str
    parts: int
    side: int
    factor: float
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def of(cls, source: str) -> Self:
        """Read them.

        Args:
            source: folder or Hub repository with `preprocessor_config.json` and `processor_config.json`.

        Raises:
            CheckpointError: a file is missing or damaged, or says what is not done here.
        """
        checkpoint = Checkpoint.at(source)
        words, images = checkpoint.file(WORDS), checkpoint.file(IMAGES)
        try:
            return cls._read(read_json(words), read_json(images))
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{words} and {images} are not understood: {error}") from error

    @classmethod
    def _read(cls, words: dict[str, Any], images: dict[str, Any]) -> Self:
        size = images["size"]
        if size["height"] != size["width"] or images.get("crop_size") or images.get("do_center_crop"):
            raise ValueError(f"images of {size} that are cut are not supported")
        if images.get("resample", _BICUBIC) != _BICUBIC or images.get("pad_during_tiling"):
            raise ValueError("only bicubic interpolation to the whole square is supported")
        if not images.get("do_rescale", True) or not images.get("do_normalize", True):
            raise ValueError("images that are not scaled are not supported")
        standard = [_IMAGE_MEAN] * 3
        return cls(
            begin=words.get("image_start_token", "<img>"),
            part=words.get("image_token", "<IMG_CONTEXT>"),
            end=words.get("image_end_token", "</img>"),
            parts=words.get("tokens_per_tile", 256),
            side=size["height"],
            factor=images.get("rescale_factor", 1 / 255),
            mean=tuple(images.get("image_mean", standard)),
            deviation=tuple(images.get("image_std", standard)),
        )

    def put_into(self, text: str, images: int) -> str:
        """Write the words of images in the places that a conversation has for them, `<image-1>` and so on."""
        for number in range(1, images + 1):
            whole = f"<image {number}>{self.begin}{self.part * self.parts}{self.end}"
            text = text.replace(f"<image-{number}>", whole, 1)
        return text
