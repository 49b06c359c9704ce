"""Types of ROS 2 messages that an export writes, and that old bags leave out.

Source:
    https://github.com/ros2/common_interfaces (std_msgs, sensor_msgs), fields only
"""

from collections.abc import Mapping
from typing import Final

JOINT_STATE: Final = "sensor_msgs/msg/JointState"
IMAGE: Final = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE: Final = "sensor_msgs/msg/CompressedImage"
ARRAY: Final = "std_msgs/msg/Float64MultiArray"
TEXT: Final = "std_msgs/msg/String"

_LINE = "=" * 80
_HEADER = (
    f"{_LINE}\nMSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n"
    f"{_LINE}\nMSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n"
)

DEFINITIONS: Final[Mapping[str, str]] = {
    JOINT_STATE: "std_msgs/Header header\nstring[] name\nfloat64[] position\nfloat64[] velocity\nfloat64[] effort\n"
    + _HEADER,
    IMAGE: "std_msgs/Header header\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\nuint32 step\n"
    f"uint8[] data\n{_HEADER}",
    COMPRESSED_IMAGE: f"std_msgs/Header header\nstring format\nuint8[] data\n{_HEADER}",
    ARRAY: "std_msgs/MultiArrayLayout layout\nfloat64[] data\n"
    f"{_LINE}\nMSG: std_msgs/MultiArrayLayout\nstd_msgs/MultiArrayDimension[] dim\nuint32 data_offset\n"
    f"{_LINE}\nMSG: std_msgs/MultiArrayDimension\nstring label\nuint32 size\nuint32 stride\n",
    TEXT: "string data\n",
}
"""Definition by type, with those it is made of."""
