"""The Homunculus exoskeleton, which leads a HopeJR arm."""

from collections.abc import Mapping

from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec
from lerobot.hope_jr.config import HomunculusArmConfig
from lerobot.hope_jr.homunculus import Homunculus
from lerobot.hope_jr.sensors import EXOSKELETON, EXOSKELETON_FIELDS

READINGS = 50


class HomunculusArm(Homunculus):
    """An exoskeleton from the shoulder to the wrist; its joints are those of the HopeJR arm.

    Args:
        config: see `HomunculusArmConfig`.
        prompter: who answers questions; the terminal if None.
    """

    name = "homunculus_arm"

    def __init__(self, config: HomunculusArmConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(
            config,
            fields=EXOSKELETON_FIELDS,
            sensors=EXOSKELETON,
            parts={"all joints of the arm": EXOSKELETON},
            readings=READINGS,
            prompter=prompter,
        )

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """`<joint>.pos` of the HopeJR arm, from -100 to 100."""
        return {f"{joint}.pos": FeatureSpec(unit="m100", range=(-100.0, 100.0)) for joint in EXOSKELETON}

    def _sample(self, readings: Mapping[str, int]) -> dict[str, float]:
        return {joint: self.normalized(joint, reading) for joint, reading in readings.items()}

    def _action(self, mean: Mapping[str, float]) -> Action:
        return {f"{joint}.pos": value for joint, value in mean.items()}
