"""The scripted operator: solves the task of a running simulated robot."""

from lerobot.core.events import TeleopEvents
from lerobot.core.prompts import Prompter
from lerobot.core.teleoperator import PlainTeleoperator
from lerobot.core.types import Action, FeatureSpec
from lerobot.sim.config import ScriptedConfig
from lerobot.sim.expert import Expert, Skill
from lerobot.sim.joints import features, to_units
from lerobot.sim.running import running
from lerobot.sim.world import World


class ScriptedTeleoperator(PlainTeleoperator):
    """An expert in place of a person with a leader arm.

    It begins anew with every episode of the scene. When its plan is complete it reports, once, that the episode may
    end and whether the task is solved.

    Args:
        config: see `ScriptedConfig`.
        prompter: who answers questions; it asks none.
        world: the scene to act in; the running robot's if None.
    """

    name = "scripted"

    def __init__(self, config: ScriptedConfig, *, prompter: Prompter | None = None, world: World | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        self._given = world
        self._expert: Expert | None = None
        self._world: World | None = None
        self._reported = -1

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint targets, `<joint>.pos`, in the robot's units."""
        return features(degrees=self.config.use_degrees)

    def _open(self) -> None:
        self._expert = self._world = None

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`.

        Raises:
            DeviceError: no simulated robot is running, or several and none was chosen.
        """
        self.require_connected()
        world = self._given or running.find(self.config.robot_id, wanted_by=str(self))
        if self._expert is None or self._world is not world:
            self._world = world
            self._expert = Expert(
                world, Skill(self.config.noise_deg, self.config.hesitation_s, self.config.failure_rate)
            )
        with world.lock:
            world.sync()
            return to_units(self._expert.command(), degrees=self.config.use_degrees)

    def get_teleop_events(self) -> dict[str, bool]:
        """Once per episode, when the plan is complete: that it may end, and its outcome."""
        self.require_connected()
        events = dict.fromkeys((TeleopEvents.TERMINATE_EPISODE, TeleopEvents.SUCCESS, TeleopEvents.FAILURE), False)
        expert, world = self._expert, self._world
        if expert and world and expert.is_done and self._reported != world.episodes_started:
            self._reported = world.episodes_started
            events[TeleopEvents.TERMINATE_EPISODE] = True
            events[TeleopEvents.SUCCESS if world.task.solved(world) else TeleopEvents.FAILURE] = True
        return {event.value: active for event, active in events.items()}
