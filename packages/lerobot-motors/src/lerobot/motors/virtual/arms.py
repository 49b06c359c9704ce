"""The virtual arms that installed packages bring."""

from collections.abc import Callable, Iterator, Mapping

from lerobot.core.registry import registry
from lerobot.motors.virtual.arm_spec import ArmSpec


class InstalledArms(Mapping[str, ArmSpec]):
    """Arms by name, from the entry points of `lerobot.virtual_arms`.

    Each entry point names a function that returns the arm; it is imported when the arm is asked for.
    """

    def __getitem__(self, name: str) -> ArmSpec:
        if name not in registry.names("virtual_arm"):
            raise KeyError(name)
        build: Callable[[], ArmSpec] = registry.config_class("virtual_arm", name)
        return build()

    def __iter__(self) -> Iterator[str]:
        return iter(registry.names("virtual_arm"))

    def __len__(self) -> int:
        return len(registry.names("virtual_arm"))


ARMS = InstalledArms()
"""Arms by name, and single motors as they leave the factory, for setting up."""
