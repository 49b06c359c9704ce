"""Scripted experts in place of a person at a teleoperator."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from numpy.typing import NDArray

from lerobot.core.prompts import Prompter
from lerobot.core.teleoperator import PlainTeleoperator
from lerobot.core.types import Action, FeatureSpec
from lerobot.envs.config import ExpertConfig
from lerobot.envs.running import running


class ExpertTeleoperator(PlainTeleoperator):
    """Optional base of an expert that solves the task of a running robot of type `env`; it begins anew each episode.

    A subclass says what it commands and how it begins an episode.

    Args:
        config: see `ExpertConfig`.
        prompter: who answers questions; it asks none.
    """

    action_names: ClassVar[tuple[str, ...]]
    """Names of the numbers it commands, those of the environment."""

    def __init__(self, config: ExpertConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        self._episode: tuple[object, int] | None = None
        self._choose: Callable[[], NDArray[Any]]

    @abstractmethod
    def begin(self, env: Any) -> Callable[[], NDArray[Any]]:
        """Begin an episode.

        Args:
            env: the environment, its first observation made.

        Returns:
            What gives the action of each step.

        Raises:
            DeviceError: it is no environment that this expert knows.
        """

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Numbers from -1 to 1."""
        return {name: FeatureSpec(unit="1/step", range=(-1.0, 1.0)) for name in self.action_names}

    def _open(self) -> None:
        self._episode = None

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`.

        Raises:
            DeviceError: no environment is running as a robot, several are and none was chosen, or it is another's.
        """
        self.require_connected()
        scene = running.find(self.config.robot_id, wanted_by=str(self))
        if self._episode != (scene, scene.episodes_started):
            self._episode = (scene, scene.episodes_started)
            self._choose = self.begin(scene.env)
        if scene.stands_still:
            return dict.fromkeys(self.action_names, 0.0)
        return dict(zip(self.action_names, self._choose().tolist(), strict=True))
