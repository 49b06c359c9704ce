"""Messages of ROS 2 in CDR, the little and the big endian one.

`mcap-ros2-support` reads past the end of a message without noticing, and makes as many objects as a damaged length
says; here every length is compared with what is left. Arrays of numbers are numpy's and copy nothing, so that the
stamp of an image costs no more than that of a number.

Source:
    OMG DDS-XTypes 1.3, section 7.4 (plain CDR), as ROS 2 writes it
"""

import struct
from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np

from lerobot.mcap.message.definition import PRIMITIVES, STRING, Definitions, Field

MOST_OBJECTS = 1_000_000
"""Nested messages and texts in one message; numbers in arrays are not counted."""

_HEAD = 4
_PLAIN: Final[dict[int, Literal["<", ">"]]] = {0: ">", 1: "<"}
"""Byte order by the encapsulation's second byte."""


class _Reader:
    def __init__(self, data: bytes | memoryview, definitions: Definitions) -> None:
        if len(data) < _HEAD or data[0] != 0 or data[1] not in _PLAIN:
            raise ValueError(f"it begins with {bytes(data[:_HEAD]).hex() or 'nothing'}, which is no plain CDR")
        self._data = memoryview(data)[_HEAD:]
        self._order = _PLAIN[data[1]]
        self._at = 0
        self._objects = 0
        self._definitions = definitions

    def message(self, name: str) -> dict[str, Any]:
        """Read one value of a type."""
        self._count(1)
        fields = self._definitions[name]
        if not fields:
            self._take(1)  # An empty type has one byte, because IDL knows none.
        return {field.name: self._field(field) for field in fields}

    def _field(self, field: Field) -> Any:
        if not field.is_array:
            return self._value(field.type)
        length = self._number("I") if field.length is None else field.length
        if field.type in PRIMITIVES:
            return self._numbers(PRIMITIVES[field.type], length)
        if length > len(self._data) - self._at:
            raise ValueError(f"{field.name} has {length} elements, for which there are no bytes")
        self._count(length)
        return [self._value(field.type) for _ in range(length)]

    def _value(self, kind: str) -> Any:
        if kind in PRIMITIVES:
            return self._number(PRIMITIVES[kind])
        if kind == STRING:
            length = self._number("I")
            return str(self._take(length), "utf-8").removesuffix("\0")
        if kind == "wstring":
            raise ValueError("it holds a wstring, which recorders write in different ways")
        return self.message(kind)

    def _number(self, letter: str) -> Any:
        size = struct.calcsize(letter)
        self._align(size)
        return struct.unpack(self._order + letter, self._take(size))[0]

    def _numbers(self, letter: str, length: int) -> Any:
        dtype = np.dtype(letter).newbyteorder(self._order)
        if length:
            self._align(dtype.itemsize)
        return np.frombuffer(self._take(length * dtype.itemsize), dtype)

    def _align(self, size: int) -> None:
        self._at += -self._at % size

    def _take(self, size: int) -> memoryview:
        if size > len(self._data) - self._at:
            raise ValueError(f"it ends {size - (len(self._data) - self._at)} bytes early")
        self._at += size
        return self._data[self._at - size : self._at]

    def _count(self, number: int) -> None:
        self._objects += number
        if self._objects > MOST_OBJECTS:
            raise ValueError(f"it holds more than {MOST_OBJECTS} nested messages")


def decode(name: str, definitions: Definitions, data: bytes | memoryview) -> dict[str, Any]:
    """Read a message.

    Args:
        name: its type.
        definitions: see `parse_definitions`.
        data: its bytes.

    Returns:
        Fields by name: numbers, texts, arrays of numpy, lists of messages.

    Raises:
        ValueError: it ends early or is no plain CDR.
    """
    return _Reader(data, definitions).message(name)


def encode(name: str, definitions: Definitions, values: Mapping[str, Any]) -> bytes:
    """Write a message in little endian.

    Args:
        name: its type.
        definitions: see `parse_definitions`.
        values: per field its value; mappings for nested messages, sequences or arrays for arrays.
    """
    out = bytearray()
    _write(out, name, definitions, values)
    return b"\0\1\0\0" + bytes(out)


def _write(out: bytearray, name: str, definitions: Definitions, values: Mapping[str, Any]) -> None:
    if not definitions[name]:
        out += b"\0"
    for field in definitions[name]:
        value = values[field.name]
        if not field.is_array:
            _write_value(out, field.type, definitions, value)
            continue
        if field.length is None:
            _pad(out, 4)
            out += struct.pack("<I", len(value))
        if field.type in PRIMITIVES:
            dtype = np.dtype(PRIMITIVES[field.type]).newbyteorder("<")
            if len(value):
                _pad(out, dtype.itemsize)
            out += value if isinstance(value, bytes) else np.asarray(value, dtype).tobytes()
        else:
            for each in value:
                _write_value(out, field.type, definitions, each)


def _write_value(out: bytearray, kind: str, definitions: Definitions, value: Any) -> None:
    if kind in PRIMITIVES:
        letter = PRIMITIVES[kind]
        _pad(out, struct.calcsize(letter))
        out += struct.pack("<" + letter, value)
    elif kind == STRING:
        encoded = value.encode() + b"\0"
        _pad(out, 4)
        out += struct.pack("<I", len(encoded)) + encoded
    else:
        _write(out, kind, definitions, value)


def _pad(out: bytearray, size: int) -> None:
    out += bytes(-len(out) % size)
