"""What is measured and commanded."""

from lerobot.core.types import FeatureSpec

WIDTH, HEIGHT = 640, 480
"""Size of an image, whatever the camera gives."""

VIEWS = ("front", "rear")
"""Names of the cameras."""

SCALARS = {
    "speed": "speed",
    "battery_level": "battery",
    "orientation": "orientation",
    "gps_latitude": "latitude",
    "gps_longitude": "longitude",
    "gps_signal": "gps_signal",
    "signal_level": "signal_level",
    "vibration": "vibration",
    "lamp": "lamp",
}
"""Keys of numbers in an observation, and what the SDK calls each."""

ROWS = {
    "accels": ("accelerometer_x", "accelerometer_y", "accelerometer_z"),
    "gyros": ("gyroscope_x", "gyroscope_y", "gyroscope_z"),
    "mags": ("magnetometer_filtered_x", "magnetometer_filtered_y", "magnetometer_filtered_z"),
    "rpms": ("wheel_rpm_0", "wheel_rpm_1", "wheel_rpm_2", "wheel_rpm_3"),
}
"""Lists of rows in the SDK's telemetry, and the keys of a row's values; the last value of a row is its time."""

STATE_KEYS = (*SCALARS, *(key for keys in ROWS.values() for key in keys))

STATE_FEATURES = {key: FeatureSpec() for key in STATE_KEYS}
"""The telemetry in the vendor's own numbers; which units they have is not documented for all of them."""

ACTION_FEATURES = dict.fromkeys(("linear_velocity", "angular_velocity"), FeatureSpec(unit="1/step", range=(-1.0, 1.0)))
"""Forward and to the left, as a share of full speed."""
