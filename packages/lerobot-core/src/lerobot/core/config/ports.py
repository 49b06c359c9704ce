"""Serial ports in a configuration: every device has one of its own."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticCustomError

_SERIAL = re.compile(r"/|COM\d+$")
"""A path, or a port of Windows."""


def ports_in(config: BaseModel) -> Iterator[tuple[str, str]]:
    """Fields called `port` that name a serial port, at any depth: path of the field, as `left_arm.port`, and the port.

    Other words in such a field, as a device without a cable may have them (`virtual`), name none.
    """
    for name, value in config:
        if name == "port" and isinstance(value, str) and _SERIAL.match(value):
            yield name, value
        elif isinstance(value, BaseModel):
            yield from ((f"{name}.{field}", port) for field, port in ports_in(value))


def require_own_ports(devices: Mapping[str, Mapping[str, str]]) -> None:
    """Check that no port stands for two devices, also under two names of one port, as udev gives them.

    Args:
        devices: ports of each device by its section of the command.

    Raises:
        PydanticCustomError: two fields name one port.
    """
    owners: dict[Path, str] = {}
    for section, ports in devices.items():
        for field, port in ports.items():
            flag = f"--{section}.{field}"
            first = owners.setdefault(Path(port).resolve(), flag)
            if first != flag:
                raise PydanticCustomError(
                    "port_of_two",
                    "two ports for two devices, not {port} in {first} and {flag}; lerobot find-port tells them apart",
                    {"first": first, "flag": flag, "port": port},
                )
