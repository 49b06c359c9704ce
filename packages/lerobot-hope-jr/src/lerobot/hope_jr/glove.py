"""The Homunculus glove, which leads a HopeJR hand."""

from collections.abc import Mapping

from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec
from lerobot.hope_jr.config import HomunculusGloveConfig
from lerobot.hope_jr.homunculus import Homunculus
from lerobot.hope_jr.sensors import GLOVE_PARTS, GLOVES
from lerobot.hope_jr.tables import HAND_JOINTS, THUMB

READINGS = 10

SPLAY = {"index": 0.3, "middle": 0.3, "ring": 0.3, "pinky": 0.5}
"""How much of a finger's two flexors is for moving it sideways, from 0 to 1; the rest bends it."""


def hand_positions(glove: Mapping[str, float]) -> dict[str, float]:
    """Positions of the joints of a hand from those of a glove.

    The thumb has the same joints. A finger of the hand is bent by two tendons; pulling one more than the other moves it
    sideways. A sum beyond 0 to 100 is held there, as the hand would hold it.

    Args:
        glove: joints of the glove, sideways ones from -100 to 100, others from 0 to 100.

    Returns:
        Joints of the hand, from 0 to 100.
    """
    hand = {joint: glove[joint] for joint in THUMB}
    for finger, splay in SPLAY.items():
        sideways = splay * glove[f"{finger}_mcp_abduction"]
        bent = (1 - splay) * glove[f"{finger}_mcp_flexion"]
        hand[f"{finger}_radial_flexor"] = min(max(bent + sideways, 0.0), 100.0)
        hand[f"{finger}_ulnar_flexor"] = min(max(bent - sideways, 0.0), 100.0)
        hand[f"{finger}_pip_dip"] = glove[f"{finger}_dip"]
    return hand


class HomunculusGlove(Homunculus):
    """A glove for a left or right hand; its action names the joints of the HopeJR hand.

    Args:
        config: see `HomunculusGloveConfig`.
        prompter: who answers questions; the terminal if None.
    """

    name = "homunculus_glove"

    def __init__(self, config: HomunculusGloveConfig, *, prompter: Prompter | None = None) -> None:
        sensors = GLOVES[config.side]
        parts = {f"the {finger}": joints for finger, joints in GLOVE_PARTS.items()}
        super().__init__(
            config, fields=len(sensors), sensors=sensors, parts=parts, readings=READINGS, prompter=prompter
        )

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """`<joint>.pos` of the HopeJR hand, from 0 to 100."""
        return {f"{joint}.pos": FeatureSpec(unit="percent", range=(0.0, 100.0)) for joint in HAND_JOINTS}

    def _sample(self, readings: Mapping[str, int]) -> Mapping[str, float]:
        return readings

    def _action(self, mean: Mapping[str, float]) -> Action:
        glove = {joint: self.normalized(joint, reading) for joint, reading in mean.items()}
        return {f"{joint}.pos": position for joint, position in hand_positions(glove).items()}
