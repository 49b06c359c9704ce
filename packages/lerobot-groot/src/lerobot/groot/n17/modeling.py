"""GR00T N1.7: Qwen3-VL and the action head. Module names are those of published checkpoints."""

from torch import nn

from lerobot.groot.n17.backbone import Qwen3VL
from lerobot.groot.n17.head import GrootN17Head
from lerobot.groot.n17.sizes import GrootN17Size


class GrootN17(nn.Module):
    """The whole network.

    Args:
        size: widths and depths.
        states: width of states.
        actions: width of actions.
    """

    def __init__(self, size: GrootN17Size, states: int, actions: int) -> None:
        super().__init__()
        self.backbone = Qwen3VL(size)
        self.action_head = GrootN17Head(size.head, size.head.reader.width, states, actions)

    def freeze(
        self, *, language: bool, top_layers: int, vision: bool, projections: bool, dit: bool, reader: bool
    ) -> None:
        """Leave parts as they are.

        Args:
            language: the language model.
            top_layers: its last layers that learn nevertheless.
            vision: the transformer for images.
            projections: what encodes and decodes states and actions, per kind of robot.
            dit: the blocks that carry noise to actions.
            reader: what works over what was seen and read.
        """
        backbone, head = self.backbone, self.action_head
        parts: list[tuple[bool, nn.Module]] = [
            (language, backbone.language_model),
            (vision, backbone.visual),
            *(
                (projections, each)
                for each in (head.state_encoder, head.action_encoder, head.action_decoder, head.position_embedding)
            ),
            (dit, head.model),
            (reader, head.vlln),
            (reader, head.vl_self_attention),
        ]
        for frozen, part in parts:
            if frozen:
                part.requires_grad_(requires_grad=False)
        for layer in backbone.language_model.layers[-top_layers:] if top_layers else ():
            layer.requires_grad_()


NAMES = ("backbone.model.lm_head.weight", "backbone.model.model.language_model.embed_tokens.weight")
"""Of the table of tokens."""
