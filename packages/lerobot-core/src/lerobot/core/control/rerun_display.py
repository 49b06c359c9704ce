"""Live display of a run in the Rerun viewer."""

from typing import Any

from lerobot.core.commands.display import DisplayOptions
from lerobot.core.errors import ConfigError, ConfigProblem
from lerobot.core.extras import require
from lerobot.core.tick import Tick


def open_display(settings: DisplayOptions, application: str) -> "RerunDisplay | None":
    """Open the display a command's flags ask for.

    Args:
        settings: the command's configuration.
        application: name of the recording in the viewer.

    Returns:
        The display; None if none is wanted.

    Raises:
        ConfigError: the flags do not fit.
        LeRobotError: the package `rerun-sdk` is not installed.
    """
    if not settings.display_data:
        return None
    if settings.display_mode != "rerun":
        raise ConfigError([ConfigProblem("--display_mode", settings.display_mode, "rerun, the one viewer there is")])
    if (settings.display_ip is None) != (settings.display_port is None):
        missing = "--display_ip" if settings.display_ip is None else "--display_port"
        raise ConfigError([ConfigProblem(missing, None, "a value, because address and port go together")])
    if settings.display_ip is None or settings.display_port is None:
        return RerunDisplay(application, compress=settings.display_compressed_images)
    return RerunDisplay(application, address=(settings.display_ip, settings.display_port), compress=True)


class RerunDisplay:
    """A sink that shows every tick in Rerun: numbers as curves, pictures as images, on the time of the run.

    Args:
        application: name of the recording in the viewer.
        address: `(ip, port)` of a running viewer; None starts one here.
        compress: send pictures as JPEG.

    Raises:
        LeRobotError: the package `rerun-sdk` is not installed.
    """

    def __init__(self, application: str, *, address: tuple[str, int] | None = None, compress: bool = False) -> None:
        self._rerun: Any = require("rerun", extra="viz", needed_by="--display_data=true")
        self._compress = compress
        self._begin_s: float | None = None
        self._recording = self._rerun.RecordingStream(application)
        if address is None:
            self._recording.spawn()
        else:
            self._recording.connect_grpc(f"rerun+http://{address[0]}:{address[1]}/proxy")

    def write(self, tick: Tick) -> None:
        """Show one tick."""
        if self._begin_s is None:
            self._begin_s = tick.start_s
        self._recording.set_time("tick", sequence=tick.index)
        self._recording.set_time("time", duration=tick.start_s - self._begin_s)
        for key, value in tick.observation.items():
            self._log(f"observation/{key}", value)
        for key, value in tick.requested.items():
            self._log(f"action/requested/{key}", value)
        for key, value in tick.sent.items():
            self._log(f"action/sent/{key}", value)

    def close(self) -> None:
        """Send what is left and close the connection."""
        self._recording.disconnect()

    def _log(self, path: str, value: Any) -> None:
        shape: tuple[int, ...] = getattr(value, "shape", ())
        if isinstance(value, bool | int | float) or (shape == () and hasattr(value, "__float__")):
            self._recording.log(path, self._rerun.Scalars(float(value)))
        elif len(shape) == 3 and shape[-1] == 1:
            self._recording.log(path, self._rerun.DepthImage(value[..., 0], meter=1000.0))
        elif len(shape) == 3:
            image = self._rerun.Image(value)
            self._recording.log(path, image.compress(jpeg_quality=85) if self._compress else image)
