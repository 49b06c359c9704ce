"""The network of Pi0-FAST: PaliGemma alone, which sees, reads, and says tokens.

Source: Pertsch et al. 2025, arXiv:2501.09747; parameter names are those of huggingface/lerobot.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.pi0.fast_config import PI0FastConfig
from lerobot.pi0.paligemma import PaliGemma, PaliGemmaForGeneration, to_few_bits
from lerobot.policies.networks.attention import KeyValueCache, block_mask, places
from lerobot.policies.networks.streams import Tokens, joined_view


class _PaliGemmaAlone(nn.Module):
    """Published names have a level for the expert, which is not there."""

    def __init__(self, config: PI0FastConfig) -> None:
        super().__init__()
        self.paligemma = PaliGemmaForGeneration(config.vlm)
        text = self.paligemma.model.language_model
        text.recomputes = config.gradient_checkpointing
        if config.dtype == "bfloat16":
            to_few_bits(text, self.paligemma.lm_head)


class PI0Fast(nn.Module):
    """What is seen and told is one block; tokens of actions follow it one by one.

    Args:
        config: settings.
    """

    def __init__(self, config: PI0FastConfig) -> None:
        super().__init__()
        self.paligemma_with_expert = _PaliGemmaAlone(config)

    @property
    def paligemma(self) -> PaliGemma:
        """What sees and reads."""
        return self.paligemma_with_expert.paligemma.model

    def _scores(self, read: Tensor) -> Tensor:
        """Score each token of the vocabulary as the next one, float32."""
        scores: Tensor = self.paligemma_with_expert.paligemma.lm_head(read)
        return scores.float()

    def forward(self, prefix: Tokens, tokens: Tensor, present: Tensor) -> Tensor:
        """Give the cross entropy of a sentence: each token from those before it.

        Args:
            prefix: images and prompt.
            tokens: of the sentence, `(B, L)`.
            present: `(B, L)` bool; false for padding, which is not learned.
        """
        model = self.paligemma
        said = Tokens(model.read(tokens).to(model.dtype), present, torch.ones_like(present[0]))
        mask, position = joined_view(prefix, said)
        x = torch.cat([prefix.embedded, said.embedded], dim=1)
        read = model.language_model(x, model.turn(position), mask)
        scores = self._scores(read[:, -tokens.shape[1] : -1])
        losses = F.cross_entropy(scores.transpose(1, 2), tokens[:, 1:], reduction="none")
        learned = present[:, 1:]
        return (losses * learned).sum() / learned.sum().clamp(min=1)

    def say(self, prefix: Tokens, end: int, steps: int, temperature: float) -> Tensor:
        """Say tokens after a prefix.

        Args:
            prefix: images, prompt, and the token that begins a sentence.
            end: token that ends it; what follows is 0 as soon as all samples have said it.
            steps: tokens at most.
            temperature: 0 for the likeliest each time; else they are drawn, as many as `steps`.

        Returns:
            `(B, steps)` int64.
        """
        model, cache = self.paligemma, KeyValueCache()
        said = torch.zeros(len(prefix.present), steps, dtype=torch.long, device=prefix.present.device)
        ended = torch.zeros_like(prefix.present[:, 0])
        present, x = prefix.present, prefix.embedded
        mask, position = block_mask(present, prefix.begins), places(present)
        for step in range(steps):
            scores = self._scores(model.language_model(x, model.turn(position), mask, cache)[:, -1])
            token = _chosen(scores, temperature)
            said[:, step] = token
            ended = ended | (token == end)
            if temperature == 0 and bool(ended.all()):
                break
            present = torch.cat([present, torch.ones_like(present[:, :1])], dim=1)
            mask, position = present[:, None], present.sum(dim=1, keepdim=True) - 1
            x = model.read(token[:, None]).to(model.dtype)
        return said


def _chosen(scores: Tensor, temperature: float) -> Tensor:
    if temperature == 0:
        return scores.argmax(dim=-1)
    return torch.multinomial((scores / temperature).softmax(dim=-1), 1)[:, 0]
