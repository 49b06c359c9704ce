"""The robot, against a virtual rover and the recorded session."""

import base64
import io
import time
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lerobot.core.control.source import require_features
from lerobot.core.errors import DeviceConnectionError, DeviceError
from lerobot.core.registry import registry
from lerobot.core.safety.config import SafetyConfig
from lerobot.core.safety.limits import derive_limits
from lerobot.earthrover.config import EarthRoverMiniPlusConfig
from lerobot.earthrover.keys import STATE_KEYS
from lerobot.earthrover.messages import decode_image, decode_telemetry
from lerobot.earthrover.robot import EarthRoverMiniPlus
from lerobot.earthrover.virtual import VirtualRover
from lerobot.keyboard.config import KeyboardRoverConfig
from lerobot.remote.wire.errors import WireError

Robots = Callable[..., EarthRoverMiniPlus]
LONG_S = 30.0


def eventually(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def in_base64(colour: tuple[int, int, int], kind: str, size: tuple[int, int] = (1024, 576)) -> str:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


# --- beside the recorded session -------------------------------------------------------------------------------------


def test_an_observation_is_the_recorded_one(rover: VirtualRover, robot: Robots, captured: Callable[[str], Any]) -> None:
    expected = captured("observation.json")
    height, width, channels, *colour = expected["front"]
    rover.fixed["/data"] = captured("data.json")
    for view in ("front", "rear"):
        rover.fixed[f"/v2/{view}"] = {f"{view}_frame": in_base64(tuple(colour), "png")}
    with robot() as connected:
        observation = connected.get_observation()
    assert list(observation) == list(expected) == list(connected.observation_features)
    for view in ("front", "rear"):
        assert observation[view].shape == (height, width, channels)
        assert (observation[view] == colour).all()
    assert {key: observation[key] for key in STATE_KEYS} == {key: expected[key] for key in STATE_KEYS}


def test_requests_are_the_recorded_ones(rover: VirtualRover, robot: Robots, captured: Callable[[str], Any]) -> None:
    session = [entry for entry in captured("http_session.jsonl") if "method" in entry]
    with robot(watchdog_s=60) as connected:
        connected.get_observation()
        assert connected.send_action({"linear_velocity": 0.5, "angular_velocity": -0.25}) == {
            "linear_velocity": 0.5,
            "angular_velocity": -0.25,
        }
        connected.commander.settle(LONG_S)
    sent = [body.decode() for method, _, body in rover.requests if method == "POST"]
    assert sent == [entry["body"] for entry in session if entry["method"] == "POST"]
    asked = {(method, path) for method, path, _ in rover.requests}
    assert asked == {(entry["method"], entry["path"]) for entry in session}


def test_fields_and_defaults_are_the_documented_ones() -> None:
    config = registry.config_class("robot", "earthrover_mini_plus")()
    assert (config.id, config.calibration_dir, config.sdk_url) == (None, None, "http://localhost:8000")


# --- what it measures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_images_of_every_format_of_the_sdk(kind: str) -> None:
    image = decode_image({"front_frame": in_base64((200, 100, 50), kind)}, "front")
    assert image.shape == (480, 640, 3)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - (200, 100, 50)).max() <= 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "no front_frame"),
        ({"front_frame": None}, "no front_frame"),
        ({"front_frame": "%%%"}, "cannot be read"),
        ({"front_frame": base64.b64encode(b"no image").decode()}, "cannot be read"),
        ({"front_frame": in_base64((1, 2, 3), "jpeg")[:400]}, "cannot be read"),
        ({"front_frame": in_base64((1, 2, 3), "gif")}, "cannot be read"),
        ({"front_frame": in_base64((1, 2, 3), "png", (5000, 5000))}, "5000x5000"),
    ],
)
def test_what_is_no_image_is_refused(answer: dict[str, Any], words: str) -> None:
    with pytest.raises(WireError, match=words):
        decode_image(answer, "front")


def test_an_image_that_unpacks_to_more_than_memory_is_refused() -> None:
    """Its header says 60,000 x 60,000; nothing is unpacked."""
    size = (60_000).to_bytes(4, "big") * 2
    header = b"IHDR" + size + bytes([8, 2, 0, 0, 0])
    file = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big")
    with pytest.raises(WireError, match="cannot be read"):
        decode_image({"front_frame": base64.b64encode(file + bytes(12)).decode()}, "front")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"battery": "full"},
        {"battery": [1]},
        {"speed": float("nan")},
        {"speed": 10**400},
        {"rpms": [[1, 2]]},
        {"rpms": [[1, 2, None, {}, 5]]},
        {"accels": 3},
    ],
)
def test_telemetry_that_cannot_be_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        decode_telemetry(answer)


def test_what_an_older_rover_does_not_tell_is_zero_and_named(
    rover: VirtualRover, robot: Robots, caplog: pytest.LogCaptureFixture
) -> None:
    rover.fixed["/data"] = {"battery": 50, "speed": 0.5, "rpms": []}
    with robot() as connected:
        observation = connected.get_observation()
    assert (observation["battery_level"], observation["speed"], observation["wheel_rpm_3"]) == (50.0, 0.5, 0.0)
    told = [record.getMessage() for record in caplog.records if "does not tell" in record.getMessage()]
    assert len(told) == 1
    assert "latitude" in told[0]
    assert "battery" not in told[0]


def test_capture_times_grow_and_repetitions_are_no_news(rover: VirtualRover, robot: Robots) -> None:
    with robot() as connected:
        first = connected.get_observation()
        eventually(lambda: connected.get_observation().stamps["front"].sequence > first.stamps["front"].sequence)
        eventually(lambda: connected.get_observation().stamps["speed"].sequence > first.stamps["speed"].sequence)
        rover.faults.frozen = True
        asked = len(rover.requests)
        eventually(lambda: len(rover.requests) > asked + 10)
        held = connected.get_observation()
        asked = len(rover.requests)
        eventually(lambda: len(rover.requests) > asked + 10)
        assert connected.get_observation().stamps == held.stamps


# --- what it does ----------------------------------------------------------------------------------------------------


def test_commands_are_limited_and_what_is_left_out_is_zero(rover: VirtualRover, robot: Robots) -> None:
    with robot(watchdog_s=60) as connected:
        assert connected.send_action({"linear_velocity": 7, "other": 1}) == {
            "linear_velocity": 1.0,
            "angular_velocity": 0.0,
        }
        connected.commander.settle(LONG_S)
        assert rover.velocity == (1.0, 0.0)
        for value in (float("nan"), float("inf"), "fast", None):
            with pytest.raises(DeviceError, match="is no velocity"):
                connected.send_action({"linear_velocity": value})
        assert rover.velocity == (1.0, 0.0)


def test_the_lamp_stays_as_somebody_switched_it(rover: VirtualRover, robot: Robots) -> None:
    rover.set_lamp(1)
    with robot(watchdog_s=60) as connected:
        connected.send_action({"linear_velocity": 0.5})
        connected.commander.settle(LONG_S)
    assert [command["lamp"] for command in rover.commands] == [1, 1]
    assert rover.velocity == (0.0, 0.0)


def test_a_commander_that_falls_silent_stops_the_rover(rover: VirtualRover, robot: Robots) -> None:
    with robot(watchdog_s=0.1) as connected:
        connected.send_action({"linear_velocity": 0.5})
        connected.commander.settle(LONG_S)
        eventually(lambda: rover.velocity == (0.0, 0.0))
    assert rover.commands[0]["linear"] == 0.5


def test_only_the_newest_command_waits(rover: VirtualRover, robot: Robots) -> None:
    with robot(watchdog_s=60, command_timeout_s=LONG_S) as connected:
        rover.faults.delay_s = 0.2
        for step in range(1000):
            connected.send_action({"linear_velocity": step / 1000})
        connected.commander.settle(LONG_S)
        assert rover.velocity == (0.999, 0.0)
    assert len(rover.commands) <= 4


def test_the_keyboard_drives_it() -> None:
    robot = EarthRoverMiniPlusConfig().build()
    keys = KeyboardRoverConfig(backend="terminal").build()
    require_features(keys.action_features, robot.action_features, giver="the keyboard", taker="the rover")
    limits, notices = derive_limits(robot.action_features, SafetyConfig())
    assert {limit.kind for limit in limits.values()} == {"velocity"}
    assert notices == []


# --- configuration ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://x", "http://", "http://x:0", "http://x:port", "http://x/?a=1"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="an address such as http://localhost:8000"):
        EarthRoverMiniPlusConfig(sdk_url=url)


def test_a_path_of_the_address_is_kept(rover: VirtualRover) -> None:
    rover.fixed["/behind/data"] = {"battery": 1}
    robot = EarthRoverMiniPlus(EarthRoverMiniPlusConfig(sdk_url=f"{rover.url}/behind/", connect_timeout_s=0.5))
    with pytest.raises(DeviceConnectionError, match="front"):
        robot.connect()
    assert ("GET", "/behind/data", b"") in rover.requests


def test_the_safe_state_is_a_command(rover: VirtualRover, robot: Robots) -> None:
    with robot() as connected:
        connected.enter_safe_state()
    assert rover.commands[-1] == {"linear": 0.0, "angular": 0.0, "lamp": 0}
