"""What sees and reads: Qwen3-VL of `transformers`, cut off after some layers. Module names are those of checkpoints.

Source: Qwen team 2025, arXiv:2511.21631.
"""

from typing import Any

import torch
from torch import Tensor, nn

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.extras import require
from lerobot.groot.n17.sizes import GrootN17Size


class Qwen3VL(nn.Module):
    """Reads a prompt in which images are.

    Args:
        size: of the networks.

    Raises:
        LeRobotError: `transformers` is not installed.
    """

    def __init__(self, size: GrootN17Size) -> None:
        super().__init__()
        transformers: Any = require("transformers", extra="n17", needed_by="GR00T N1.7", distribution="lerobot-groot")
        self._image_token, self._joined = size.image_token, size.backbone["vision_config"]["spatial_merge_size"] ** 2
        fields = {**size.backbone, "text_config": {**size.backbone["text_config"], "num_hidden_layers": size.layers}}
        self.model = transformers.Qwen3VLForConditionalGeneration(transformers.Qwen3VLConfig(**fields))
        # Nobody asks the head for words, which shares the table of tokens in files.
        self.model.lm_head.weight = self.language_model.embed_tokens.weight

    @property
    def language_model(self) -> Any:
        """Its decoder."""
        return self.model.model.language_model

    @property
    def visual(self) -> Any:
        """Its transformer for images, with what brings them to the decoder."""
        return self.model.model.visual

    def images(self, tokens: Tensor) -> Tensor:
        """Say which tokens are parts of images, of the shape of the tokens."""
        return tokens == self._image_token

    def forward(self, tokens: Tensor, present: Tensor, patches: Tensor, grids: Tensor) -> Tensor:
        """Read.

        Args:
            tokens: `(B, L)` int64; those of images are in the places of the images' parts, in their order.
            present: `(B, L)` bool; false for padding, which is not seen.
            patches: of all images, one after the other, `(P, colours * times * pixels)`.
            grids: `(images, 3)` int64, times, rows and columns of the patches of each.

        Returns:
            What the last layer makes of them, before it is normalised, `(B, L, width)`.

        Raises:
            FeatureMismatchError: there is another number of patches than the grids or the tokens say.
        """
        images, told = self.images(tokens), int(grids.prod(dim=1).sum())
        if told != len(patches) or told != int(images.sum()) * self._joined:
            raise FeatureMismatchError(
                f"{int(images.sum())} tokens of images for {len(patches)} patches in grids of {told}",
                expected=f"a token for {self._joined} patches, and none in the task",
            )
        # What `transformers` gives as the last state is normalised in some of its releases.
        found: list[Tensor] = []
        hook = self.language_model.layers[-1].register_forward_hook(lambda _, __, output: found.append(_state(output)))
        try:
            self.model.model(
                input_ids=tokens,
                attention_mask=present.long(),
                pixel_values=patches,
                image_grid_thw=grids,
                mm_token_type_ids=images.to(torch.int32),
                use_cache=False,
            )
        finally:
            hook.remove()
        return found[-1]


def _state(output: Any) -> Tensor:
    """What a layer gives, alone or first of several."""
    state: Tensor = output if isinstance(output, Tensor) else output[0]
    return state
