"""How Pi0-FAST learns and acts."""

import logging
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.pi0.fast_config import PI0FastConfig
from lerobot.pi0.fast_modeling import PI0Fast
from lerobot.pi0.paligemma import with_table
from lerobot.policies.checkpoint.weights import Weights
from lerobot.policies.features import ACTION
from lerobot.policies.networks.padding import resize_with_pad
from lerobot.policies.networks.streams import Tokens
from lerobot.policies.processing.action_tokenizer import TOKEN_MASK, ActionLanguage
from lerobot.policies.processing.action_tokenizer import TOKENS as ACTION_TOKENS
from lerobot.policies.processing.fast import FastCodec
from lerobot.policies.processing.tokenizer import ATTENTION_MASK, TOKENS, load_tokenizer
from lerobot.policies.vla.images import camera_images
from lerobot.policies.vla.policy import VLAPolicy

log = logging.getLogger(__name__)


class PI0FastPolicy(VLAPolicy):
    """Pi0-FAST: a chunk of actions is a sentence, which the language model says token by token.

    Args:
        config: see `PI0FastConfig`.
        from_scratch: as every policy takes it; nothing is fetched.

    Raises:
        FeatureMismatchError: the features are not what the pi models need.

    Source:
        Pertsch et al. 2025, arXiv:2501.09747.
    """

    config: PI0FastConfig

    def __init__(self, config: PI0FastConfig, *, from_scratch: bool = True) -> None:
        del from_scratch
        super().__init__(config)
        self.model = PI0Fast(config)
        self._spoken: tuple[ActionLanguage, FastCodec] | None = None

    def published(self, weights: Weights) -> Weights:
        """See `lerobot.pi0.paligemma.with_table`; names of openpi have no "model." before them."""
        return with_table({f"model.{name.removeprefix('model.')}": tensor for name, tensor in weights.items()})

    def adapter_targets(self) -> str:
        """Queries and values of the language model."""
        return r".*\.language_model\..*\.self_attn\.(q|v)_proj"

    def reset(self) -> None:
        """Forget the actions that wait, and load the tokenizers if they are not yet.

        Raises:
            CheckpointError: a tokenizer is not there.
            LeRobotError: `transformers` is not installed.
        """
        super().reset()
        self._language()

    def _language(self) -> tuple[ActionLanguage, FastCodec]:
        if self._spoken is None:
            config = self.config.model_copy(update=self.copies)
            text = load_tokenizer(
                config.text_tokenizer_name, "text_tokenizer_name", add_eos_token=True, add_bos_token=False
            )
            language = ActionLanguage.of(text, config.fast_skip_tokens)
            self._spoken = language, FastCodec.from_pretrained(config.action_tokenizer_name)
        return self._spoken

    def _prefix(self, batch: Mapping[str, Any], tokens: Tensor, mask: Tensor) -> Tokens:
        cameras = camera_images(self.config, batch, self._resized)
        return self.model.paligemma.prefix(cameras, tokens, mask)

    def _resized(self, images: Tensor) -> Tensor:
        return resize_with_pad(images, *self.config.image_resolution, centred=True)

    # --- acting ------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """Say a chunk `(B, T, Da)`, normalised.

        Args:
            batch: see `Policy.predict_action_chunk`.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
            LeRobotError: what was said does not begin as a chunk does, and `validate_action_token_prefix` is true.
        """
        self.require_inputs(batch)
        self.eval()
        language, _ = self._language()
        tokens, mask = batch[TOKENS], batch[ATTENTION_MASK]
        # It stands behind the padding of the prompt.
        begin = torch.full_like(tokens[:, :1], language.begin)
        prefix = self._prefix(batch, torch.cat([tokens, begin], 1), torch.cat([mask, torch.ones_like(mask[:, :1])], 1))
        said = self.model.say(prefix, language.end, self.config.max_decoding_steps, self.config.temperature)
        return torch.stack([self.heard(row) for row in said.tolist()]).to(tokens.device)

    def heard(self, said: list[int]) -> Tensor:
        """Give the chunk `(T, Da)` float32 that tokens say; where they say none, zeros, with a warning.

        Raises:
            LeRobotError: see `predict_action_chunk`.
        """
        config = self.config
        language, codec = self._language()
        if config.validate_action_token_prefix and said[:2] != list(language.prefix[:2]):
            raise LeRobotError(
                f"policy {self.name!r} said tokens {said[:4]} ..., which begin no chunk of actions",
                expected=f"{list(language.prefix[:2])} at the beginning",
                hint="Train longer; to go on with zeros instead: --policy.validate_action_token_prefix=false",
            )
        steps, width = config.chunk_size, config.output_features[ACTION].shape[0]
        try:
            chunk = torch.from_numpy(codec.decode(language.codes(said), steps, width))
        except ValueError as error:
            log.warning("policy %r said what is no action: %s; zeros are taken for it", self.name, error)
            chunk = torch.zeros(steps, width)
        return chunk.float()

    # --- learning ----------------------------------------------------------------------------------------------------

    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        """Compute the loss: cross entropy of the tokens that say the actions.

        Args:
            batch: inputs, and `action.tokens` `(B, L)` and `action.token_mask`, which the pre-processor makes.

        Returns:
            The scalar loss, and the same as a number.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        if missing := [key for key in (ACTION_TOKENS, TOKEN_MASK) if key not in batch]:
            raise FeatureMismatchError(
                f"policy {self.name!r} got no {missing[0]!r}",
                keys=missing,
                expected="tokens of the actions, which the pre-processor makes of a chunk",
            )
        prefix = self._prefix(batch, batch[TOKENS], batch[ATTENTION_MASK])
        loss: Tensor = self.model(prefix, batch[ACTION_TOKENS], batch[TOKEN_MASK])
        return loss, {"ce_loss": loss.item()}
