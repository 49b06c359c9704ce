"""`lerobot setup-can`: bring CAN interfaces up, and see who answers on them."""

from typing import ClassVar, Literal

from pydantic import Field

from lerobot.core.config import CommandConfig


class SetupCanConfig(CommandConfig):
    """Bring CAN interfaces up, list the motors on them, measure their answers, or clear their faults."""

    target: ClassVar[str] = "lerobot.can.interfaces.command:setup_can"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot setup-can --mode=setup --interfaces=can0,can1",
        "lerobot setup-can --mode=test --interfaces=can0",
        "lerobot setup-can --mode=speed --interfaces=can0",
        "lerobot setup-can --mode=clear --interfaces=/dev/ttyACM0 --motor_ids=[8]",
    )

    mode: Literal["test", "setup", "speed", "clear"] = Field(
        default="test",
        description="setup: bring interfaces up, which needs root. test: list the motors that answer; none gets "
        "torque. speed: measure how fast they answer. clear: switch motors off and clear the faults they keep.",
    )
    interfaces: str = Field(
        default="can0", description="CAN interfaces, such as can0,can1; or the serial port of an slcan adapter."
    )
    bitrate: int = Field(default=1_000_000, gt=0, description="Bits per second.")
    data_bitrate: int = Field(default=5_000_000, gt=0, description="Bits per second of the data of CAN FD frames.")
    use_fd: bool = Field(default=True, description="CAN FD; classic CAN if false, and on serial ports.")
    motor_ids: list[int] = Field(default=list(range(1, 9)), description="Ids that Damiao motors are commanded with.")
    timeout: float = Field(default=1.0, gt=0, description="Seconds to wait for the answer of a motor.")
    speed_iterations: int = Field(default=100, gt=0, description="Questions per motor that are timed.")
