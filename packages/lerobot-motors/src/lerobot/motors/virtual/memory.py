"""A servo's control table: what is kept without power, and what is not."""

from collections.abc import Mapping
from typing import Literal


class Memory:
    """Registers by name and bytes by address.

    Args:
        table: address and length by register name.
        eeprom_end: first address that is not kept without power.
        contents: EEPROM contents by register name.
        byte_order: order of the bytes of a register.
    """

    def __init__(
        self,
        table: Mapping[str, tuple[int, int]],
        eeprom_end: int,
        contents: Mapping[str, int],
        byte_order: Literal["little", "big"],
    ) -> None:
        self.table = table
        self.eeprom_end = eeprom_end
        self.size = max(address + length for address, length in table.values())
        self._byte_order = byte_order
        self._live = bytearray(self.size)
        for name, value in contents.items():
            self[name] = value
        self._kept = bytes(self._live[:eeprom_end])

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
        """Change bytes, and keep those of the EEPROM if `keep`."""
        end = min(address + len(data), self.size)
        self._live[address:end] = data[: end - address]
        if keep:
            kept = bytearray(self._kept)
            last = min(end, self.eeprom_end)
            kept[address:last] = self._live[address:last]
            self._kept = bytes(kept)

    def touches(self, name: str, address: int, length: int) -> bool:
        """Whether a write of `length` bytes at `address` reached a register."""
        start, size = self.table[name]
        return address < start + size and start < address + length

    def restart(self) -> None:
        """Lose what is not kept."""
        self._live[:] = self._kept.ljust(self.size, b"\0")
