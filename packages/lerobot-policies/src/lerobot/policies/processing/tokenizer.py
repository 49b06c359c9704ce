"""The task in words, as tokens."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.core.extras import require
from lerobot.core.processors import EnvTransition, ProcessorStep, TransitionKey
from lerobot.core.processors.step import PipelineFeatures
from lerobot.core.types import FeatureSpec
from lerobot.policies.processing.config import TokenizerConfig

TOKENS, ATTENTION_MASK = "observation.language.tokens", "observation.language.attention_mask"
SUBTASK_TOKENS, SUBTASK_ATTENTION_MASK = "observation.subtask.tokens", "observation.subtask.attention_mask"


class LanguageStep(ProcessorStep):
    """A step that turns words into tokens of a language model.

    Attributes:
        tokenizer: of `transformers`.
    """

    tokenizer: Any

    @property
    @abstractmethod
    def source(self) -> str:
        """Where the tokenizer comes from, for messages."""

    @property
    def vocabulary(self) -> int:
        """Tokens it may give."""
        return len(self.tokenizer)


class TokenizerProcessorStep(LanguageStep):
    """Adds tokens `(B, L)` int64 and their mask `(B, L)` bool of the task, and of the subtask if there is one.

    Args:
        config: which tokenizer and how long.
        tokenizer: a tokenizer of `transformers`; None to load the one the configuration names.

    Raises:
        CheckpointError: there is no such tokenizer.
        LeRobotError: `transformers` is not installed.
    """

    def __init__(self, config: TokenizerConfig, *, tokenizer: Any = None) -> None:
        super().__init__(config)
        self._is_own = tokenizer is not None
        self.tokenizer = tokenizer if tokenizer is not None else load_tokenizer(config.tokenizer_name, "tokenizer_name")

    @property
    def source(self) -> str:
        """See `LanguageStep.source`."""
        return str(self.config.tokenizer_name)

    def save_artifacts(self, directory: Path) -> dict[str, str]:
        """Save a tokenizer that no name on the Hub stands for."""
        if not self._is_own and not Path(str(self.config.tokenizer_name)).exists():
            return {}
        self.tokenizer.save_pretrained(directory / "tokenizer")
        return {"tokenizer_name": "tokenizer"}

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Add the tokens."""
        data: Mapping[str, Any] = transition.get(TransitionKey.COMPLEMENTARY_DATA) or {}
        observation = dict(transition.get(TransitionKey.OBSERVATION) or {})
        device = next((value.device for value in observation.values() if isinstance(value, Tensor)), None)
        observation |= self._tokens(data.get(self.config.task_key), TOKENS, ATTENTION_MASK, device)
        if data.get("subtask") is not None:
            observation |= self._tokens(data["subtask"], SUBTASK_TOKENS, SUBTASK_ATTENTION_MASK, device)
        return {**transition, TransitionKey.OBSERVATION: observation}

    def _tokens(self, text: Any, key: str, mask_key: str, device: torch.device | None) -> dict[str, Tensor]:
        texts = [text] if isinstance(text, str) else text
        if not isinstance(texts, list | tuple) or not all(isinstance(each, str) for each in texts):
            raise FeatureMismatchError(
                f"the task is {text!r}", keys=[self.config.task_key], expected="a text, or a list of one per sample"
            )
        encoded = self.tokenizer(
            list(texts),
            max_length=self.config.max_length,
            truncation=self.config.truncation,
            padding=self.config.padding,
            padding_side=self.config.padding_side,
            return_tensors="pt",
        )
        return {key: encoded["input_ids"].to(device), mask_key: encoded["attention_mask"].to(device, torch.bool)}

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Add the two features."""
        length = (self.config.max_length,)
        added = {TOKENS: FeatureSpec("int64", length), ATTENTION_MASK: FeatureSpec("bool", length)}
        return {**features, "observation": {**features["observation"], **added}}


def require_tokens(name: str, batch: Mapping[str, Any]) -> None:
    """Check that a batch holds the task as tokens.

    Args:
        name: of the policy.
        batch: what it is given.

    Raises:
        FeatureMismatchError: it does not; names the key.
    """
    for key in (TOKENS, ATTENTION_MASK):
        if key not in batch:
            raise FeatureMismatchError(
                f"policy {name!r} got no {key!r}",
                keys=[key],
                expected=f"{TOKENS}, {ATTENTION_MASK}; given: {', '.join(batch) or 'nothing'}",
                hint="The pre-processor makes tokens of the task in words.",
            )


def load_tokenizer(name: str | None, field: str, **options: Any) -> Any:
    """Load a tokenizer of `transformers`, from a folder or the Hub.

    Args:
        name: folder or repository.
        field: of the configuration, for messages.
        **options: for `AutoTokenizer.from_pretrained`.

    Raises:
        CheckpointError: there is no such tokenizer.
        LeRobotError: `transformers` is not installed.
    """
    if not name:
        raise CheckpointError("the tokenizer has no name", expected=f"{field!r}, or a tokenizer as an override")
    # An extra: most policies read no words.
    transformers: Any = require(
        "transformers", extra="language", needed_by="a tokenizer", distribution="lerobot-policies"
    )
    try:
        return transformers.AutoTokenizer.from_pretrained(name, **options)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"tokenizer {name!r} cannot be loaded: {error}") from error
