"""Chunks of actions as tokens of a language model.

A sample is `<bos> Action:  c1 c2 ... |`, where the codes `c` of the tokenizer of actions take the places at the end of
the language model's vocabulary: code 0 is token `V - 1 - fast_skip_tokens`, and so downwards.

Source: Pertsch et al. 2025, FAST, arXiv:2501.09747; the sequence is that of huggingface/lerobot 0.6.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.core.processors import EnvTransition, ProcessorStep, TransitionKey
from lerobot.policies.features import ACTION
from lerobot.policies.processing.config import ActionTokenizerConfig
from lerobot.policies.processing.fast import FastCodec
from lerobot.policies.processing.tokenizer import load_tokenizer

log = logging.getLogger(__name__)

TOKENS, TOKEN_MASK, CODE_MASK = "action.tokens", "action.token_mask", "action.code_token_mask"
PREFIX, END = "Action: ", "|"


@dataclass(frozen=True, slots=True)
class ActionLanguage:
    """How a chunk is said in tokens of a language model.

    Attributes:
        begin: token before the sentence.
        prefix: tokens of its first words.
        end: token behind the codes.
        after: that and what a text ends with.
        last: token of code 0; that of code `c` is `last - c`.
    """

    begin: int
    prefix: tuple[int, ...]
    end: int
    after: tuple[int, ...]
    last: int

    @classmethod
    def of(cls, text: Any, skip: int) -> Self:
        """Ask a tokenizer of `transformers` that ends texts and does not begin them.

        Args:
            text: the tokenizer.
            skip: last tokens of its vocabulary that stand for no code.
        """
        prefix, after = text.encode(PREFIX, add_special_tokens=False), text.encode(END)
        return cls(text.bos_token_id, tuple(prefix), after[0], tuple(after), text.vocab_size - 1 - skip)

    def sentence(self, codes: Sequence[int]) -> list[int]:
        """Say codes."""
        return [self.begin, *self.prefix, *(self.last - code for code in codes), *self.after]

    def codes(self, tokens: Sequence[int]) -> list[int]:
        """Give the codes that tokens say: those before the end, but for the first words wherever they stand."""
        said = list(tokens[: tokens.index(self.end)]) if self.end in tokens else list(tokens)
        width, place = len(self.prefix), 0
        while place + width <= len(said):
            if tuple(said[place : place + width]) == self.prefix:
                del said[place : place + width]
            else:
                place += 1
        return [self.last - token for token in said]


class ActionTokenizerProcessorStep(ProcessorStep):
    """Adds the tokens of the action to the complementary data; without an action, as when acting, nothing happens.

    Added are `action.tokens` `(B, L)` int64, padded with 0; `action.token_mask` `(B, L)` bool, true for tokens that are
    no padding; `action.code_token_mask` `(B, L)` bool, true for those that stand for the action itself.

    Args:
        config: which tokenizers and how long.
        action_tokenizer: called with one chunk `(1, T, Da)`, gives its codes; None to load the one that is named.
        text_tokenizer: a tokenizer of `transformers`; None to load the one that is named.

    Raises:
        CheckpointError: there is no such tokenizer.
        LeRobotError: `transformers` is not installed.
    """

    config: ActionTokenizerConfig

    def __init__(
        self,
        config: ActionTokenizerConfig,
        *,
        action_tokenizer: Any = None,
        text_tokenizer: Any = None,
    ) -> None:
        super().__init__(config)
        self._is_own = action_tokenizer is not None
        self._codes = action_tokenizer if self._is_own else _load_codes(config.action_tokenizer_name)
        self._text_is_own = text_tokenizer is not None
        self._text = (
            text_tokenizer
            if self._text_is_own
            else load_tokenizer(
                config.paligemma_tokenizer_name, "paligemma_tokenizer_name", add_eos_token=True, add_bos_token=False
            )
        )
        self._language = ActionLanguage.of(self._text, config.fast_skip_tokens)

    def save_artifacts(self, directory: Path) -> dict[str, str]:
        """Save the tokenizers that no name on the Hub stands for."""
        saved = {}
        if self._is_own or Path(str(self.config.action_tokenizer_name)).exists():
            self._codes.save_pretrained(directory / "action_tokenizer")
            saved["action_tokenizer_name"] = "action_tokenizer"
        if self._text_is_own or Path(str(self.config.paligemma_tokenizer_name)).exists():
            self._text.save_pretrained(directory / "action_text_tokenizer")
            saved["paligemma_tokenizer_name"] = "action_text_tokenizer"
        return saved

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Add the tokens of `(B, T, Da)`."""
        action = transition.get(TransitionKey.ACTION)
        if action is None:
            return transition
        if action.ndim != 3:
            raise FeatureMismatchError(
                f"the action has the shape {tuple(action.shape)}", keys=[ACTION], expected="chunks (B, T, Da)"
            )
        samples = [self._tokens(chunk) for chunk in action]
        tokens, real, codes = (torch.stack(each).to(action.device) for each in zip(*samples, strict=True))
        data = dict(transition.get(TransitionKey.COMPLEMENTARY_DATA) or {})
        data |= {TOKENS: tokens, TOKEN_MASK: real, CODE_MASK: codes}
        return {**transition, TransitionKey.COMPLEMENTARY_DATA: data}

    def _tokens(self, chunk: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        codes = torch.as_tensor(self._codes(chunk[None].cpu()), dtype=torch.long).flatten()
        sequence = torch.tensor(self._language.sentence(codes.tolist()), dtype=torch.long)
        length, wanted = len(sequence), self.config.max_action_tokens
        if length > wanted:
            if not self.config.allow_truncation:
                raise FeatureMismatchError(
                    f"a chunk needs {length} tokens", keys=[ACTION], expected=f"at most max_action_tokens, {wanted}"
                )
            log.warning("a chunk needs %d tokens and is cut to max_action_tokens, %d", length, wanted)
        positions = torch.arange(wanted)
        first = 1 + len(self._language.prefix)
        tokens = torch.zeros(wanted, dtype=torch.long)
        tokens[: min(length, wanted)] = sequence[:wanted]
        return tokens, positions < length, (positions >= first) & (positions < first + len(codes))


def _load_codes(name: str | None) -> FastCodec:
    if not name:
        raise CheckpointError(
            "the tokenizer of actions has no name", expected="'action_tokenizer_name', or a tokenizer as an override"
        )
    return FastCodec.from_pretrained(name)
