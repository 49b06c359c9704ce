"""Recordings of a camera that Intel's library takes for one: two sensors whose frames are drawn here.

Depth rises by `RISE` units from frame to frame, and the red of colour counts the frames. The colour camera stands
`BASELINE_M` to the right of the depth camera, so that alignment has something to do.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pyrealsense2 as rs

WIDTH, HEIGHT, FPS = 64, 48, 30
SERIAL, NAME = "012345678901", "Intel RealSense Virtual"
FOCAL_PX, BASELINE_M = 50.0, 0.02
NEAR, RISE, FRAMES = 501, 3, 20
"""Units of depth of the first frame, and how it goes on; no distance moves by half a pixel in alignment."""


def depth_of(number: int) -> int:
    """Units of depth of a frame, all over."""
    return NEAR + RISE * number


def record(file: Path, unit_m: float = 0.001) -> None:
    """Make a recording.

    Args:
        file: where to.
        unit_m: metres per unit of depth.
    """
    device = rs.software_device()
    device.register_info(rs.camera_info.serial_number, SERIAL)
    device.register_info(rs.camera_info.name, NAME)
    depth, color = device.add_sensor("Stereo Module"), device.add_sensor("RGB Camera")
    depth_profile = _stream(depth, rs.stream.depth, rs.format.z16, 2)
    color_profile = _stream(color, rs.stream.color, rs.format.rgb8, 3)
    depth.add_read_only_option(rs.option.depth_units, unit_m)
    place = rs.extrinsics()
    place.rotation = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    place.translation = [-BASELINE_M, 0.0, 0.0]
    depth_profile.register_extrinsics_to(color_profile, place)
    recorder = rs.recorder(str(file), device)
    sensors = recorder.query_sensors()
    for sensor in sensors:
        sensor.open(sensor.get_stream_profiles())
        sensor.start(lambda frame: None)
    for number in range(FRAMES):
        distances = np.full((HEIGHT, WIDTH), depth_of(number), np.uint16)
        colours = np.zeros((HEIGHT, WIDTH, 3), np.uint8) + np.array([number, 7, 200], np.uint8)
        stamp_ms = 1e12 + number * 1000 / FPS
        depth.on_video_frame(_frame(depth_profile, distances, stamp_ms, number, unit_m))
        color.on_video_frame(_frame(color_profile, colours, stamp_ms, number))
        time.sleep(1 / FPS)
    for sensor in sensors:
        sensor.stop()
        sensor.close()


def _stream(sensor: Any, kind: Any, form: Any, bytes_per_pixel: int) -> Any:
    stream = rs.video_stream()
    stream.type, stream.fmt, stream.index, stream.uid = kind, form, 0, bytes_per_pixel
    stream.width, stream.height, stream.fps, stream.bpp = WIDTH, HEIGHT, FPS, bytes_per_pixel
    lens = rs.intrinsics()
    lens.width, lens.height = WIDTH, HEIGHT
    lens.fx = lens.fy = FOCAL_PX
    lens.ppx, lens.ppy = WIDTH / 2, HEIGHT / 2
    lens.model = rs.distortion.none
    stream.intrinsics = lens
    return sensor.add_video_stream(stream, True).as_video_stream_profile()


def _frame(profile: Any, pixels: Any, stamp_ms: float, number: int, unit_m: float | None = None) -> Any:
    frame = rs.software_video_frame()
    frame.pixels, frame.bpp = pixels, pixels.nbytes // (WIDTH * HEIGHT)
    frame.stride = frame.bpp * WIDTH
    frame.timestamp, frame.frame_number = stamp_ms, number
    frame.domain, frame.profile = rs.timestamp_domain.system_time, profile
    if unit_m is not None:
        frame.depth_units = unit_m
    return frame
