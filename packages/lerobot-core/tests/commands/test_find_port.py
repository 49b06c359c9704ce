"""`lerobot find-port`: the flow of the field's tool, its errors, and the listing."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from lerobot.core.commands.find_port import FindPortConfig
from lerobot.core.devices.command import find_port
from lerobot.core.devices.ports import SerialPort, serial_ports
from lerobot.core.errors import DeviceConnectionError, LeRobotError
from lerobot.core.testing import ScriptedPrompter

ARM = SerialPort("/dev/ttyACM0", "/dev/serial/by-id/usb-1a86_USB_Single_Serial_5735016690-if00")
LEADER = SerialPort("/dev/ttyACM1")
UART = SerialPort("/dev/ttyS0")


def listings(*lists: list[SerialPort]) -> Callable[[], list[SerialPort]]:
    left = iter(lists)
    return lambda: next(left)


def find(*lists: list[SerialPort]) -> ScriptedPrompter:
    prompter = ScriptedPrompter()
    find_port(FindPortConfig(), prompter, listings(*lists), settle_s=0)
    return prompter


def test_the_port_that_disappeared_is_named() -> None:
    said = find([ARM, LEADER, UART], [LEADER, UART]).said
    assert said == [
        "Finding all available ports for the MotorsBus.",
        "Ports before disconnecting: ['/dev/ttyACM0', '/dev/ttyACM1', '/dev/ttyS0']",
        "Remove the USB cable from your MotorsBus and press Enter when done.",
        "The port of this MotorsBus is '/dev/ttyACM0'",
        f"It keeps this name when devices are plugged in another order: '{ARM.stable_path}'",
        "Reconnect the USB cable.",
    ]


def test_nothing_disappeared() -> None:
    with pytest.raises(DeviceConnectionError, match=r"Could not detect the port\. No difference was found \(\[\]\)\."):
        find([ARM], [ARM])


def test_too_much_disappeared() -> None:
    expected = r"More than one port was found \(\['/dev/ttyACM0', '/dev/ttyACM1'\]\)\."
    with pytest.raises(DeviceConnectionError, match=expected) as caught:
        find([ARM, LEADER, UART], [UART])
    assert isinstance(caught.value, OSError)


def test_without_a_person_the_listing_is_offered() -> None:
    class Nobody(ScriptedPrompter):
        def ask(self, text: str) -> str:
            raise EOFError(text)

    with pytest.raises(LeRobotError) as caught:
        find_port(FindPortConfig(), Nobody(), listings([ARM], []), settle_s=0)
    assert "--list_only" in caught.value.hint


def test_the_listing_shows_usb_names() -> None:
    prompter = ScriptedPrompter()
    find_port(FindPortConfig(list_only=True), prompter, listings([ARM, UART]))
    assert prompter.said == [f"{ARM.path}  {ARM.stable_path}", UART.path]


def test_the_listing_as_json() -> None:
    prompter = ScriptedPrompter()
    find_port(FindPortConfig(list_only=True, format="json"), prompter, listings([ARM, UART]))
    assert json.loads("\n".join(prompter.said)) == [
        {"path": ARM.path, "stable_path": ARM.stable_path},
        {"path": UART.path, "stable_path": ""},
    ]
    with pytest.raises(ValidationError, match="--list_only"):
        FindPortConfig(format="json")


def test_an_empty_listing_says_so() -> None:
    prompter = ScriptedPrompter()
    find_port(FindPortConfig(list_only=True), prompter, list)
    assert prompter.said == ["No serial ports were found."]


def test_ports_are_read_from_the_device_folder(tmp_path: Path) -> None:
    for name in ("tty", "tty1", "tty63", "ttyACM0", "ttyUSB0", "ttyS0", "tty.usbmodem58760431551", "video0"):
        (tmp_path / name).touch()
    by_id = tmp_path / "serial" / "by-id"
    by_id.mkdir(parents=True)
    (by_id / "usb-arm").symlink_to(tmp_path / "ttyACM0")
    assert serial_ports(tmp_path) == [
        SerialPort(str(tmp_path / "tty.usbmodem58760431551")),
        SerialPort(str(tmp_path / "ttyACM0"), str(by_id / "usb-arm")),
        SerialPort(str(tmp_path / "ttyS0")),
        SerialPort(str(tmp_path / "ttyUSB0")),
    ]
