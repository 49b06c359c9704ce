"""The client, over the messages of huggingface/lerobot."""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from lerobot.core.errors import DeviceConnectionError, DeviceTimeoutError
from lerobot.core.fake.config import FakeCameraConfig
from lerobot.core.protocols import Robot
from lerobot.core.registry import registry
from lerobot.lekiwi.config import LeKiwiClientConfig
from lerobot.lekiwi.keys import ARM_JOINTS, STATE_KEYS
from lerobot.lekiwi.zmq_client import ZmqClient
from lerobot.motors.virtual import VirtualBus

CAMERAS = {
    "front": FakeCameraConfig(width=64, height=48, fps=30),
    "wrist": FakeCameraConfig(width=48, height=64, fps=30),
}
WHEELS = (7, 8, 9)
DRIVE = {**{f"{joint}.pos": 0.0 for joint in ARM_JOINTS}, "arm_gripper.pos": 50.0, "x.vel": 0.1, "y.vel": 0.0}


@pytest.fixture
def config(ports: tuple[int, int]) -> Callable[..., LeKiwiClientConfig]:
    def config(**fields: Any) -> LeKiwiClientConfig:
        return LeKiwiClientConfig(
            remote_ip="127.0.0.1",
            wire="zmq",
            port_zmq_cmd=ports[0],
            port_zmq_observations=ports[1],
            **{"cameras": {}, "id": "kiwi", **fields},
        )

    return config


def test_fields_and_defaults_are_the_documented_ones() -> None:
    config = registry.config_class("robot", "lekiwi_client")(remote_ip="10.0.0.2")
    assert config.model_dump(exclude={"type", "teleop_keys"}) == {
        "remote_ip": "10.0.0.2",
        "wire": "lerobot",
        "port": 8000,
        "token_file": None,
        "tls_ca": None,
        "cameras": None,
        "port_zmq_cmd": 5555,
        "port_zmq_observations": 5556,
        "connect_timeout_s": 5,
        "max_age_s": 1.0,
        "polling_timeout_ms": 15,
        "id": None,
        "calibration_dir": None,
    }
    assert list(ZmqClient(config).observation_features)[9:] == ["front", "wrist"]


def test_a_client_drives_and_measures_what_its_host_does(
    start: Callable[..., VirtualBus], host: Callable[..., Any], config: Callable[..., LeKiwiClientConfig]
) -> None:
    line = start("lekiwi")
    with host(line, cameras=CAMERAS, stop_after_s=5.0) as running, ZmqClient(config(cameras=CAMERAS)) as client:
        assert isinstance(client, Robot)
        assert client.is_calibrated
        first = client.get_observation()
        assert list(first) == [*STATE_KEYS, "front", "wrist"] == list(client.observation_features)
        assert {name: first[name].shape for name in CAMERAS} == {"front": (48, 64, 3), "wrist": (64, 48, 3)}
        assert all(stamp.time_s <= time.monotonic() for stamp in first.stamps.values())
        while abs(client.get_observation()["x.vel"] - 0.1) > 0.002:
            assert client.send_action(DRIVE | {"other": 1.0}) == DRIVE
        assert client.get_observation().stamps["front"].sequence > first.stamps["front"].sequence
        client.enter_safe_state()
        while any(line.state(i)["Goal_Velocity"] for i in WHEELS):
            assert line.state(1)["Torque_Enable"], "it was the client who stopped the base"
    assert running.failure is None


def test_what_is_sent_lies_inside_the_declared_ranges(
    start: Callable[..., VirtualBus], host: Callable[..., Any], config: Callable[..., LeKiwiClientConfig]
) -> None:
    with host(start("lekiwi")), ZmqClient(config()) as client:
        assert client.send_action({"x.vel": 9.0, "theta.vel": -1e9, "arm_gripper.pos": -3.0}) == {
            "arm_gripper.pos": 0.0,
            "x.vel": 0.3,
            "theta.vel": -90.0,
        }


def test_a_host_that_is_not_there_is_named(config: Callable[..., LeKiwiClientConfig]) -> None:
    client = ZmqClient(config(connect_timeout_s=0.1))
    with pytest.raises(DeviceConnectionError, match=r"no observation came from 127.0.0.1:\d+ within 0.1 s") as caught:
        client.connect()
    assert "lerobot lekiwi-host" in caught.value.hint
    assert not client.is_connected


def test_an_observation_that_is_too_old_is_refused(
    start: Callable[..., VirtualBus], host: Callable[..., Any], config: Callable[..., LeKiwiClientConfig]
) -> None:
    with host(start("lekiwi")):
        client = ZmqClient(config(max_age_s=0.2))
        client.connect()
        client.get_observation()
    time.sleep(0.25)
    with pytest.raises(DeviceTimeoutError, match="sent nothing new for"):
        client.get_observation()
    client.disconnect()
    client.disconnect()


def test_observations_with_other_pictures_are_none(
    start: Callable[..., VirtualBus], host: Callable[..., Any], config: Callable[..., LeKiwiClientConfig]
) -> None:
    other = {"front": FakeCameraConfig(width=640, height=480, fps=30)}
    with host(start("lekiwi"), cameras=CAMERAS):
        client = ZmqClient(config(cameras=other, connect_timeout_s=1.0))
        with pytest.raises(DeviceConnectionError, match="sends is of no use: a picture is RGB of 48x64") as caught:
            client.connect()
    assert caught.value.expected == "RGB of (480, 640, 3)"


def test_a_client_needs_no_motors() -> None:
    program = "import sys, lerobot.lekiwi.client; sys.exit('serial' in sys.modules or 'scservo_sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
