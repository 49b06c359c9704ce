"""The page of the studio as a teleoperator."""

import time

from lerobot.core.errors import DeviceConnectionError
from lerobot.core.prompts import Prompter
from lerobot.core.teleoperator import PlainTeleoperator
from lerobot.core.types import Action, FeatureSpec
from lerobot.studio.inside.config import BrowserConfig
from lerobot.studio.inside.link import Link, studio_link


class BrowserTeleoperator(PlainTeleoperator):
    """How fast the page wants each key to move, -1 to 1; 0 as soon as the page has not said so lately.

    Args:
        config: see `BrowserConfig`.
        prompter: nothing is asked.
    """

    name = "browser"

    def __init__(self, config: BrowserConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        self._link: Link | None = None

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """`jog.<key>` for each key, a share of full speed."""
        return {f"jog.{key}": FeatureSpec(range=(-1.0, 1.0)) for key in self.config.keys}

    def _open(self) -> None:
        self._link = studio_link()
        if self._link is None:
            raise DeviceConnectionError(
                "the browser moves robots in commands that `lerobot studio` starts.",
                device=str(self),
                hint="Start `lerobot studio` and its page 'Teleoperate', or choose another --teleop.type.",
            )

    def _close(self) -> None:
        self._link = None  # the connection is the hook's

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`."""
        self.require_connected()
        time_s, wanted = (0.0, {}) if self._link is None else self._link.jog
        if not 0 <= time.monotonic() - time_s <= self.config.max_age_s:
            wanted = {}
        return {f"jog.{key}": min(max(float(wanted.get(key, 0.0)), -1.0), 1.0) for key in self.config.keys}
