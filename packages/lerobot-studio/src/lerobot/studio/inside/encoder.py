"""Pictures as JPEG, made by a process of their own.

Making them in a thread delays the control loop, because Pillow keeps the interpreter while it compresses: with four
cameras of 640x480 at 15 Hz the 99th percentile of a 60 Hz loop's lateness was 21 ms against 7 ms without, and 9 ms with
this process (two busy cores of a Xeon, CPython 3.11, 10 s each, three times). A pipe hands a picture over in one system
call, during which other threads run.
"""

import io
import os
import struct
import subprocess
import sys
from typing import IO, Any, Self

REQUEST = struct.Struct(">HHBH")
LENGTH = struct.Struct(">I")
QUALITY = 75
FAR_MM = 4096
"""A distance that is shown white."""


class Encoder:
    """A process that makes JPEGs; a context manager. It starts with the first picture and ends with this one."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def encode(self, image: Any, width: int) -> bytes | None:
        """Compress a picture.

        Args:
            image: `(H, W, 3)` uint8, or `(H, W, 1)` uint16 millimetres, as cameras give it.
            width: largest width of the result.

        Returns:
            The JPEG; None if there is no making one of it.
        """
        height, across, channels = image.shape
        view = memoryview(image)
        if not view.c_contiguous:
            view = memoryview(view.tobytes())
        process = self._running()
        if process.stdin is None or process.stdout is None or view.nbytes != height * across * (3, 2)[channels == 1]:
            return None
        try:
            process.stdin.write(REQUEST.pack(across, height, channels, min(width, 0xFFFF)))
            process.stdin.write(view.cast("B"))
            process.stdin.flush()
            (length,) = LENGTH.unpack(_read(process.stdout, LENGTH.size))
            return _read(process.stdout, length)
        except (OSError, EOFError):  # it was killed: the next picture has another one
            self.__exit__()
            return None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # Out of reach of a Ctrl-C for the command, but in its session: Linux weighs sessions against each other.
            command = [sys.executable, "-P", "-m", "lerobot.studio.inside.encoder"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)
        return self._process


def _read(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data


def main() -> None:
    """Compress what comes on standard input until it ends."""
    from PIL import Image

    if hasattr(os, "nice"):
        os.nice(10)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    try:
        while True:
            across, height, channels, width = REQUEST.unpack(_read(source, REQUEST.size))
            if channels == 1:
                depth = Image.frombytes("I;16", (across, height), _read(source, across * height * 2)).convert("I")
                image = depth.point(lambda distance: distance * (255 / FAR_MM)).convert("L")
            else:
                image = Image.frombytes("RGB", (across, height), _read(source, across * height * 3))
            content = io.BytesIO()
            image.reduce(max(1, -(-across // max(width, 1)))).save(content, "JPEG", quality=QUALITY)
            target.write(LENGTH.pack(content.tell()) + content.getvalue())
            target.flush()
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        return


if __name__ == "__main__":
    main()
