"""The Robot protocol."""

from typing import Any, Protocol, runtime_checkable

from lerobot.core.protocols.device import Calibratable
from lerobot.core.types import Action, Features, Observation


@runtime_checkable
class Robot(Calibratable, Protocol):
    """Something that measures its state and follows commands.

    Both feature mappings are known before `connect`. A plain dict with peer-style values (`float`, `(H, W, C)`) is
    accepted wherever features are read; `lerobot.core.types.as_features` normalises it.
    """

    @property
    def observation_features(self) -> Features:
        """Keys, dtypes, shapes and units of what `get_observation` returns."""
        ...

    @property
    def action_features(self) -> Features:
        """Keys, units and ranges of what `send_action` takes; the safety gate derives its limits from them."""
        ...

    def get_observation(self) -> Observation | dict[str, Any]:
        """Measure.

        Returns:
            One value per key of `observation_features`; an `Observation` carries capture times too.

        Raises:
            NotConnectedError: not connected.
            DeviceError: the reading failed and no truthful value can be given.
        """
        ...

    def send_action(self, action: Action) -> Action:
        """Send a command.

        Args:
            action: targets by key of `action_features`, in the features' units.

        Returns:
            What was really sent, after every limit the robot itself applies.

        Raises:
            NotConnectedError: not connected.
        """
        ...

    @property
    def safe_state(self) -> str:
        """The state `enter_safe_state` leaves the robot in, in words: `"torque off"`, `"hold position"`, ..."""
        ...

    def enter_safe_state(self) -> None:
        """Bring the robot to its declared safe end state.

        Called on every way out of a control loop, also after errors: it must work with broken cameras, may be called
        repeatedly and raises only if the motors themselves could not be reached.
        """
        ...


@runtime_checkable
class HasSceneValues(Protocol):
    """A robot that knows what is particular to the episode: a simulation that draws its scene anew."""

    @property
    def scene_values(self) -> dict[str, float]:
        """Numbers that hold for the whole episode, by name: the same names in every one; empty if there are none."""
        ...
