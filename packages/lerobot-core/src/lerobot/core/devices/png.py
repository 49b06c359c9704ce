"""Pictures as PNG files, with the standard library alone."""

import struct
import zlib
from pathlib import Path
from typing import Any

GREY, RGB = 0, 2


def write_png(path: Path, image: Any) -> None:
    """Write a picture; its folder is created.

    Args:
        path: file to write.
        image: `(H, W, 3)` uint8 RGB, or `(H, W, 1)` uint16 (depth in millimetres).

    Source:
        PNG specification (third edition), W3C 2025, sections 5 and 11.
    """
    height, width, channels = image.shape
    depth, colour = (8, RGB) if channels == 3 else (16, GREY)
    # Samples of two bytes are stored most significant byte first.
    raw = (image if channels == 3 else image.astype(">u2")).tobytes()
    stride = len(raw) // height
    rows = b"".join(b"\0" + raw[start : start + stride] for start in range(0, len(raw), stride))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
