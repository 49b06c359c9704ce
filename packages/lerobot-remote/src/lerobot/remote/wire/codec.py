"""Messages as bytes: msgpack, with arrays, array scalars and pictures as maps of their own.

Arrays and scalars are laid out as openpi's policy server and client do, byte for byte, so that both ends of its wire
may be ours. Their marks are keys of bytes, which no text of a user can be. Nothing is unpickled, and every size is
checked before memory is taken for it.

Source:
    https://github.com/Physical-Intelligence/openpi, packages/openpi-client (the layout).
"""

import math
import re
from typing import Any

import msgpack
import numpy as np
from numpy.typing import NDArray

from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.pictures import Picture, decoded

ARRAY, SCALAR, PICTURE = b"__ndarray__", b"__npgeneric__", b"__picture__"
DATA, DTYPE, SHAPE = b"data", b"dtype", b"shape"

KINDS = "biufSUmM"
"""Kinds of numpy types that are sent: truth values, numbers, text and times; never objects."""
SCALAR_KINDS = "biuf"
TYPE_NAME = re.compile(rf"[<>|][{KINDS}]\d{{1,9}}(\[\d{{0,9}}[A-Za-z]{{1,2}}\])?")
MOST_AXES = 32
LARGEST_CODE_POINT = 0x10FFFF

MAX_BYTES = 64 * 2**20
"""Longest message that is read if nothing else is said."""
MOST_ENTRIES = 2**20
"""Most entries of one list or map."""


def pack(value: Any) -> bytes:
    """Write a value as bytes.

    Args:
        value: text, numbers, bytes, None, arrays, array scalars, `Picture`s, and lists, tuples and maps of them, whose
            keys are text.

    Raises:
        WireError: there is something else in it; says what.
    """
    try:
        packed: bytes = msgpack.packb(value, default=_written, use_bin_type=True)
    except (TypeError, ValueError, OverflowError) as error:
        raise WireError(f"this cannot be sent: {error}") from error
    return packed


def unpack(message: bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """Read what `pack`, or an openpi client or server, wrote.

    Args:
        message: the bytes; anything may come.
        max_bytes: a longer message is refused.

    Returns:
        The value; tuples come as lists, pictures as arrays. Every array is the caller's own.

    Raises:
        WireError: it is too long, or no such message.
    """
    if len(message) > max_bytes:
        raise WireError(f"a message of {len(message)} bytes came", expected=f"at most {max_bytes}")
    try:
        return msgpack.unpackb(
            message,
            object_hook=_read,
            ext_hook=_no_extension,
            max_array_len=MOST_ENTRIES,
            max_map_len=MOST_ENTRIES,
        )
    except WireError:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise WireError(f"a message is no msgpack: {error or type(error).__name__}") from error


def unpack_map(message: bytes | str, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Read a message that has to be a map with keys of text; see `unpack`.

    Raises:
        WireError: it is something else.
    """
    if isinstance(message, str):
        raise WireError("a text came", expected="a binary message")
    value = unpack(message, max_bytes=max_bytes)
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise WireError(f"a message holds a {type(value).__name__}", expected="a map with keys of text")
    return value


# --- writing ---------------------------------------------------------------------------------------------------------


def _written(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        _require_kind(value.dtype, KINDS)
        return {ARRAY: True, DATA: value.tobytes(), DTYPE: value.dtype.str, SHAPE: value.shape}
    if isinstance(value, np.generic):
        _require_kind(value.dtype, SCALAR_KINDS)
        return {SCALAR: True, DATA: value.item(), DTYPE: value.dtype.str}
    if isinstance(value, Picture):
        return {PICTURE: value.format, DATA: value.data, DTYPE: value.dtype, SHAPE: value.shape}
    raise TypeError(f"a {type(value).__name__}")


def _require_kind(dtype: np.dtype[Any], kinds: str) -> None:
    if dtype.kind not in kinds:
        raise WireError(f"arrays of {dtype} cannot be sent", expected="numbers, truth values or text")


# --- reading ---------------------------------------------------------------------------------------------------------


def _read(entries: dict[Any, Any]) -> Any:
    if ARRAY in entries:
        return _array(entries)
    if SCALAR in entries:
        dtype = _dtype(entries.get(DTYPE), SCALAR_KINDS)
        return _scalar(entries.get(DATA), dtype)
    if PICTURE in entries:
        shape = _shape(entries.get(SHAPE))
        return decoded(Picture(entries[PICTURE], entries.get(DATA), str(entries.get(DTYPE)), shape))
    return entries


def _array(entries: dict[Any, Any]) -> NDArray[Any]:
    dtype, shape, data = _dtype(entries.get(DTYPE), KINDS), _shape(entries.get(SHAPE)), entries.get(DATA)
    wanted = dtype.itemsize * math.prod(shape)
    if not isinstance(data, bytes) or len(data) != wanted:
        found = f"{len(data)} bytes" if isinstance(data, bytes) else f"a {type(data).__name__}"
        raise WireError(f"the data of an array are {found}", expected=f"{wanted} bytes for {dtype} of {shape}")
    array: NDArray[Any] = np.ndarray(shape, dtype, buffer=data).copy()
    if dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        raise WireError("an array of truth values holds others", expected="0 or 1")
    if dtype.kind == "U" and len(data) and np.frombuffer(data, f"{dtype.str[0]}u4").max() > LARGEST_CODE_POINT:
        raise WireError("an array of text holds what is no text", expected="Unicode code points")
    return array


def _scalar(value: Any, dtype: np.dtype[Any]) -> Any:
    if not isinstance(value, bool | int | float):
        raise WireError(f"a {type(value).__name__} came as a scalar of {dtype}", expected="a number")
    with np.errstate(over="ignore"):
        return dtype.type(value)


def _dtype(name: Any, kinds: str) -> np.dtype[Any]:
    if not isinstance(name, str) or not TYPE_NAME.fullmatch(name) or name[1] not in kinds:
        raise WireError(f"an array has the type {str(name)[:40]!r}", expected="such as '<f4', '|u1' or '|b1'")
    return np.dtype(name)


def _shape(shape: Any) -> tuple[int, ...]:
    if (
        not isinstance(shape, list)
        or len(shape) > MOST_AXES
        or not all(type(size) is int and 0 <= size < 2**31 for size in shape)
    ):
        raise WireError(f"an array has the shape {str(shape)[:40]}", expected="a list of sizes")
    return tuple(shape)


def _no_extension(code: int, _data: bytes) -> Any:
    raise WireError(f"a message holds an extension {code} of msgpack", expected="none")
