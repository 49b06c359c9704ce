"""GR00T N1.5: Eagle and the action head. Module names are those of published checkpoints."""

from torch import Tensor, nn

from lerobot.groot.eagle import Eagle
from lerobot.groot.head import ActionHead
from lerobot.groot.sizes import EagleSize, GrootN15Size
from lerobot.policies.checkpoint.weights import Weights


class Backbone(nn.Module):
    """Eagle, and a projection where the sizes have one."""

    def __init__(self, size: EagleSize) -> None:
        super().__init__()
        self.eagle_model = Eagle(size)
        self.eagle_linear = (
            nn.Identity() if size.projected_width is None else nn.Linear(size.text.width, size.projected_width)
        )

    def forward(self, tokens: Tensor, present: Tensor, images: Tensor) -> Tensor:
        """Read a prompt in which images are; see `Eagle.forward`."""
        found: Tensor = self.eagle_linear(self.eagle_model(tokens, present, images))
        return found


class GrootN15(nn.Module):
    """The whole network.

    Args:
        size: widths and depths.
        states: width of states.
        actions: width of actions.
    """

    def __init__(self, size: GrootN15Size, states: int, actions: int) -> None:
        super().__init__()
        self.backbone = Backbone(size.eagle)
        self.action_head = ActionHead(size.head, size.eagle.width, states, actions)

    def freeze(self, *, language: bool, vision: bool, projections: bool, dit: bool) -> None:
        """Leave parts as they are, and what nobody asks.

        Args:
            language: the language model.
            vision: the transformer for images and the connector.
            projections: what encodes and decodes states and actions, per kind of robot.
            dit: the blocks that carry noise to actions.
        """
        eagle, head = self.backbone.eagle_model, self.action_head
        parts: list[tuple[bool, nn.Module]] = [
            (language, eagle.language_model),
            (vision, eagle.vision_model),
            (vision, eagle.mlp1),
            *(
                (projections, each)
                for each in (head.state_encoder, head.action_encoder, head.action_decoder, head.position_embedding)
            ),
            (dit, head.model),
            (True, eagle.vision_model.vision_model.head),
        ]
        for frozen, part in parts:
            if frozen:
                part.requires_grad_(requires_grad=False)


_LANGUAGE = "backbone.eagle_model.language_model"
HEAD, TABLE = f"{_LANGUAGE}.lm_head.weight", f"{_LANGUAGE}.model.embed_tokens.weight"


def with_both_names(weights: Weights, prefix: str = "", names: tuple[str, str] = (HEAD, TABLE)) -> Weights:
    """Give published weights both names of the table of tokens; files hold it under one of them, or under both.

    Args:
        weights: tensors by the names they have in the file.
        prefix: before all names.
        names: of the head for words, which nobody asks, and of the table.
    """
    head, table = (prefix + name for name in names)
    shared: Tensor | None = weights.get(table, weights.get(head))
    return weights if shared is None else {**weights, head: shared, table: shared}
