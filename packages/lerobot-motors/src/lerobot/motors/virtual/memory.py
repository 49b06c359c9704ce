"""A servo's control table: what is kept without power, and what is not."""

from collections.abc import Container, Mapping
from typing import Literal


class Memory:
    """Registers by name and bytes by address.

    Args:
        table: address and length by register name.
        kept: addresses that are kept without power.
        contents: contents by register name, as it leaves the factory.
        byte_order: order of the bytes of a register.
    """

    def __init__(
        self,
        table: Mapping[str, tuple[int, int]],
        kept: Container[int],
        contents: Mapping[str, int],
        byte_order: Literal["little", "big"],
    ) -> None:
        self.table = table
        self.size = max(address + length for address, length in table.values())
        self._byte_order = byte_order
        self._live = bytearray(self.size)
        for name, value in contents.items():
            self[name] = value
        self._eeprom = [address for address in range(self.size) if address in kept]
        self._kept = bytes(self._live)

    def __contains__(self, name: str) -> bool:
        return name in self.table

    def __getitem__(self, name: str) -> int:
        """Content of a register, unsigned."""
        address, length = self.table[name]
        return int.from_bytes(self._live[address : address + length], self._byte_order)

    def __setitem__(self, name: str, value: int) -> None:
        """Change a register as the servo itself does, without keeping it."""
        address, length = self.table[name]
        self._live[address : address + length] = (value % 256**length).to_bytes(length, self._byte_order)

    def get(self, name: str, default: int) -> int:
        """Content of a register the model may lack."""
        return self[name] if name in self.table else default

    def read(self, address: int, length: int) -> bytes:
        """Bytes of the control table; beyond its end there are zeros."""
        return bytes(self._live[address : address + length]).ljust(length, b"\0")

    def write(self, address: int, data: bytes, *, keep: bool) -> None:
        """Change bytes, and keep them without power if `keep`, where they can be kept."""
        end = min(address + len(data), self.size)
        self._live[address:end] = data[: end - address]
        if keep:
            self._kept = self._kept[:address] + bytes(self._live[address:end]) + self._kept[end:]

    def touches(self, name: str, address: int, length: int) -> bool:
        """Whether a write of `length` bytes at `address` reached a register."""
        start, size = self.table[name]
        return address < start + size and start < address + length

    def restart(self) -> None:
        """Lose what is not kept."""
        self._live[:] = bytes(self.size)
        for address in self._eeprom:
            self._live[address] = self._kept[address]
