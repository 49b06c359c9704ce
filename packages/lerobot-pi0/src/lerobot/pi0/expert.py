"""PaliGemma, and the action expert that attends to it in every layer.

Source: Black et al. 2024, arXiv:2410.24164, section IV and appendix B.
"""

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lerobot.pi0.config import PiFlowConfig
from lerobot.pi0.paligemma import PaliGemmaForGeneration, to_few_bits
from lerobot.policies.networks.attention import KeyValueCache, Rotary, attend, block_mask, places, turned
from lerobot.policies.networks.blocks import RecomputingNetwork
from lerobot.policies.networks.decoder import Decoder, DecoderKind, DecoderLayer
from lerobot.policies.networks.sizes import DecoderSize
from lerobot.policies.networks.streams import Tokens, attend_jointly, joined_view, later_view


class Expert(nn.Module):
    """A decoder that is given its inputs, with a head that nobody asks and files hold."""

    def __init__(self, size: DecoderSize, kind: DecoderKind, vocabulary: int) -> None:
        super().__init__()
        self.model = Decoder(size.model_copy(update={"vocabulary": 0}), kind)
        self.lm_head = nn.Linear(size.width, vocabulary, bias=False)


class PaliGemmaWithExpert(RecomputingNetwork):
    """Both streams, layer by layer: their tokens are one sequence, their weights are not.

    Args:
        config: of the policy.
        kind: of the expert's layers.
    """

    def __init__(self, config: PiFlowConfig, kind: DecoderKind) -> None:
        super().__init__()
        self.paligemma = PaliGemmaForGeneration(config.vlm)
        self.gemma_expert = Expert(config.expert, kind, config.vocabulary)
        self.recomputes = config.gradient_checkpointing
        self._exact = kind.exact_scores
        if config.dtype == "bfloat16":
            to_few_bits(self.paligemma.model.language_model, self.paligemma.lm_head, self.gemma_expert)
        self._freeze(config)

    def _freeze(self, config: PiFlowConfig) -> None:
        """Leave as it is what the configuration says, and what learns nothing because nobody looks at it."""
        if config.freeze_vision_encoder:
            self.paligemma.model.vision_tower.requires_grad_(False)
        if config.train_expert_only:
            self.paligemma.requires_grad_(False)
        text = self.paligemma.model.language_model
        last = text.stack[-1]
        unseen = (last.self_attn.o_proj, last.mlp, last.post_attention_layernorm, text.norm)
        for module in (self.paligemma.lm_head, self.gemma_expert.lm_head, *unseen):
            module.requires_grad_(False)

    def forward(self, prefix: Tokens, suffix: Tokens, condition: Tensor | None = None) -> Tensor:
        """Let the expert read `suffix` beside PaliGemma that reads `prefix`, to learn from.

        Args:
            prefix: in the width of PaliGemma's language model.
            suffix: in the width of the expert.
            condition: `(B, width of the expert)`, for a kind of layers that follows one.

        Returns:
            `(B, L, width of the expert)`, of the suffix.
        """
        mask, position = joined_view(prefix, suffix)
        by = self.paligemma.model.turn(position)
        first, second = prefix.embedded, suffix.embedded
        stacks = self.paligemma.model.language_model.stack, self.gemma_expert.model.stack
        for large, small in zip(*stacks, strict=True):
            given = large, small, first, second, by, mask, condition
            if self.recomputes and self.training:
                first, second = checkpoint(self._layer, *given, use_reentrant=False)
            else:
                first, second = self._layer(*given)
        return self._normed(second, condition)

    def _layer(
        self,
        large: DecoderLayer,
        small: DecoderLayer,
        first: Tensor,
        second: Tensor,
        by: Rotary,
        mask: Tensor,
        condition: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        length = first.shape[1]
        seen, own = large.project(first), small.project(second, condition)
        attended = attend_jointly(seen, own, by, mask, exact=self._exact)
        second = small.finish(second, attended[:, length:], own.gate, condition)
        if large is self.paligemma.model.language_model.stack[-1]:  # nobody looks at its end
            return first, second
        return large.finish(first, attended[:, :length]), second

    def keep(self, prefix: Tokens) -> KeyValueCache:
        """Read the prefix once: keys and values for each layer."""
        model = self.paligemma.model
        mask = block_mask(prefix.present, prefix.begins)
        return model.language_model.read(prefix.embedded, model.turn(places(prefix.present)), mask)

    def follow(self, kept: KeyValueCache, present: Tensor, suffix: Tokens, condition: Tensor | None = None) -> Tensor:
        """Let the expert read `suffix` after a prefix that was kept; see `forward`.

        Args:
            kept: from `keep`.
            present: of the prefix, `(B, P)` bool.
            suffix: what the expert reads.
            condition: see `forward`.
        """
        mask, position = later_view(present, suffix)
        by = self.paligemma.model.turn(position)
        x = suffix.embedded
        for index, layer in enumerate(self.gemma_expert.model.stack):
            query, key, value, gate = layer.project(x, condition)
            key, value = kept.followed_by(index, turned(key, by), value)
            attended = attend(turned(query, by), key, value, mask, exact=self._exact)
            x = layer.finish(x, attended, gate, condition)
        return self._normed(x, condition)

    def _normed(self, x: Tensor, condition: Tensor | None) -> Tensor:
        norm = self.gemma_expert.model.norm
        found: Tensor = norm(x) if condition is None else norm(x, condition)[0]
        return found
