"""Which cameras are attached, and how one, or a recording of one, is opened."""

from dataclasses import dataclass
from typing import Any

from lerobot.core.errors import DeviceConnectionError, DeviceError
from lerobot.realsense.config import COLOR_OPTIONS, RealSenseCameraConfig
from lerobot.realsense.sdk import pyrealsense2 as rs

FIND = "List what is attached: lerobot find-cameras realsense"
DESCRIBED = ("firmware_version", "usb_type_descriptor", "physical_port", "product_id", "product_line")
AUTOMATIC = {
    "exposure": rs.option.enable_auto_exposure,
    "gain": rs.option.enable_auto_exposure,
    "white_balance": rs.option.enable_auto_white_balance,
}


@dataclass(frozen=True, slots=True)
class OpenCamera:
    """A camera that gives pictures.

    Attributes:
        pipeline: gives them; whoever opened it stops it.
        depth_scale_mm: millimetres per unit of depth; None without depth.
        fps: pictures per second.
    """

    pipeline: Any
    depth_scale_mm: float | None
    fps: float


def context() -> Any:
    """Where attached cameras are found."""
    return rs.context()


def find_cameras() -> list[dict[str, Any]]:
    """List every attached camera.

    Returns:
        Per camera `name`, `type`, `id` (its serial number), `firmware_version`, `usb_type_descriptor`,
        `physical_port`, `product_id`, `product_line` where it says so, and `default_stream_profile` (`stream_type`,
        `format`, `width`, `height`, `fps`).
    """
    return [_describe(device) for device in context().query_devices()]


def _info(device: Any, name: str) -> str | None:
    key = getattr(rs.camera_info, name)
    return device.get_info(key) if device.supports(key) else None


def _describe(device: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": _info(device, "name"),
        "type": "RealSense",
        "id": _info(device, "serial_number"),
        **{name: value for name in DESCRIBED if (value := _info(device, name)) is not None},
    }
    profiles = (profile for sensor in device.query_sensors() for profile in sensor.get_stream_profiles())
    default = next((each for each in profiles if each.is_default() and each.is_video_stream_profile()), None)
    if default is not None:
        video = default.as_video_stream_profile()
        entry["default_stream_profile"] = {
            "stream_type": video.stream_name(),
            "format": video.format().name,
            "width": video.width(),
            "height": video.height(),
            "fps": video.fps(),
        }
    return entry


def serial_number(wanted: str, found: list[dict[str, Any]]) -> str:
    """Serial number of the camera a user means.

    Args:
        wanted: a serial number, or the name of a model.
        found: what `find_cameras` gave.

    Raises:
        DeviceConnectionError: it is not attached, or several have the name.
    """
    matching = [each["id"] for each in found if wanted == each["id"]]
    matching = matching or [each["id"] for each in found if wanted == each["name"]]
    if len(matching) == 1:
        return str(matching[0])
    attached = ", ".join(f"{each['id']} ({each['name']})" for each in found) or "none is attached"
    if matching:
        what = f"{len(matching)} cameras are called '{wanted}'"
        raise DeviceConnectionError(f"{what}.", expected=f"a serial number: {attached}", hint=FIND)
    raise DeviceConnectionError(f"there is no RealSense camera '{wanted}'.", expected=attached, hint=FIND)


def place_of(config: RealSenseCameraConfig) -> str:
    """Which camera is meant, in words."""
    return str(config.recording or config.serial_number_or_name)


def open_camera(config: RealSenseCameraConfig) -> OpenCamera:
    """Open a camera, or a recording of one, and set it up.

    Raises:
        DeviceConnectionError: it is not there, is in use, or has no pictures of this size and rate.
        DeviceError: it does not take the exposure, gain or white balance.
    """
    settings = rs.config()
    if config.recording is None:
        settings.enable_device(serial_number(config.serial_number_or_name, find_cameras()))
    elif config.recording.is_file():
        rs.config.enable_device_from_file(settings, str(config.recording), repeat_playback=True)
    else:
        raise DeviceConnectionError(f"there is no recording '{config.recording}'.", expected="a file (.bag or .db3)")
    for is_wanted, stream, form in (
        (config.use_rgb, rs.stream.color, rs.format.rgb8),
        (config.use_depth, rs.stream.depth, rs.format.z16),
    ):
        if is_wanted and config.capture_size is not None:
            settings.enable_stream(stream, *config.capture_size, form, int(config.fps or 0))
        elif is_wanted:
            settings.enable_stream(stream, form, 0)  # without the rate the format is taken for an index
    pipeline = rs.pipeline()
    try:
        profile = pipeline.start(settings)
    except RuntimeError as error:
        size = "" if config.capture_size is None else " {}x{} at {:g} Hz".format(*config.capture_size, config.fps)
        raise DeviceConnectionError(
            f"RealSense camera '{place_of(config)}' could not be opened{size}: {error}.",
            expected="a size and rate the camera has, and no other program that uses it",
            hint=FIND,
        ) from error
    try:
        device = profile.get_device()
        _set_options(device, config)
        scale = device.first_depth_sensor().get_depth_scale() * 1000 if config.use_depth else None
        return OpenCamera(pipeline, scale, profile.get_streams()[0].fps())
    except BaseException:
        pipeline.stop()
        raise


def _set_options(device: Any, config: RealSenseCameraConfig) -> None:
    wanted = {name: getattr(config, name) for name in COLOR_OPTIONS if getattr(config, name) is not None}
    if not wanted:
        return
    sensors = {_info(sensor, "name"): sensor for sensor in device.query_sensors()}
    sensor = sensors.get("RGB Camera")
    if sensor is None:
        raise DeviceError(f"{', '.join(wanted)} cannot be set: this camera has no colour sensor of its own.")
    for name, value in wanted.items():
        option = getattr(rs.option, name)
        if not sensor.supports(option):
            raise DeviceError(f"this camera has no {name} that can be set.")
        limits = sensor.get_option_range(option)
        if not limits.min <= value <= limits.max:
            expected = f"{limits.min:g} to {limits.max:g}"
            raise DeviceError(f"{name} {value} is outside what this camera has.", expected=expected)
        try:
            if sensor.supports(AUTOMATIC[name]):
                sensor.set_option(AUTOMATIC[name], 0)
            sensor.set_option(option, value)
        except RuntimeError as error:
            raise DeviceError(f"{name} {value} could not be set: {error}.") from error
