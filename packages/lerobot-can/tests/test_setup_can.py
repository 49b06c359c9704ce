"""`lerobot setup-can` and what `lerobot doctor` says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot.can.commands.setup_can import SetupCanConfig
from lerobot.can.interfaces import command, installation, network
from lerobot.can.virtual import CanLineSpec
from lerobot.core.config import load
from lerobot.core.errors import DeviceConnectionError
from lerobot.core.installation import Fact
from lerobot.core.testing import PluginPackageContract
from lerobot.motors.virtual import Fault, VirtualBus


class TestPackage(PluginPackageContract):
    distribution = "lerobot-can"


def test_the_documented_defaults() -> None:
    assert SetupCanConfig().model_dump() == {
        "mode": "test",
        "interfaces": "can0",
        "bitrate": 1_000_000,
        "data_bitrate": 5_000_000,
        "use_fd": True,
        "motor_ids": [1, 2, 3, 4, 5, 6, 7, 8],
        "timeout": 1.0,
        "speed_iterations": 100,
    }


@pytest.mark.parametrize("line", ["--mode=setup --interfaces=can0,can1", "--mode=speed --interfaces can0"])
def test_command_lines_of_the_peer_resolve(line: str) -> None:
    config = load(SetupCanConfig, line.split()).config
    assert config.interfaces.startswith("can0")
    assert config.mode in line


def test_motors_are_listed_and_none_gets_torque(line: VirtualBus, capsys: pytest.CaptureFixture[str]) -> None:
    line.fault(3, Fault.OVERLOAD)
    command.setup_can(SetupCanConfig(interfaces=line.port, motor_ids=[1, 2, 3, 4], timeout=0.3))
    told = capsys.readouterr().out
    assert "  Motor 0x01 (joint_1): ✓ FOUND\n    → Response 0x11: 01" in told
    assert "  Motor 0x04 (joint_4): ✗ No response" in told
    assert "  Summary: 3/4 motors found" in told
    assert "Total motors found: 3" in told
    assert {packet[:2] for packet in line.packets()} == {b"\x07\xff"}


def test_nobody_there_is_an_error(line: VirtualBus) -> None:
    line.power(False)
    with pytest.raises(DeviceConnectionError, match="No motor answers"):
        command.setup_can(SetupCanConfig(interfaces=line.port, motor_ids=[1], timeout=0.05))


def test_answers_are_timed(line: VirtualBus, capsys: pytest.CaptureFixture[str]) -> None:
    command.setup_can(SetupCanConfig(mode="speed", interfaces=line.port, motor_ids=[2], speed_iterations=20))
    told = capsys.readouterr().out
    assert "Success rate: 20/20" in told
    assert "Avg latency" in told


def test_faults_are_cleared(
    line: VirtualBus, damiao: Callable, three: CanLineSpec, capsys: pytest.CaptureFixture[str]
) -> None:
    damiao.enable_torque()
    line.fault(1, Fault.OVERLOAD)
    damiao.sync_read("Present_Position")
    line.mend(1)
    damiao.disconnect(disable_torque=False)
    command.setup_can(SetupCanConfig(mode="clear", interfaces=line.port, motor_ids=[1, 2]))
    assert "Motor 0x01: ✓ off, without a fault" in capsys.readouterr().out
    assert [line.state(i)["Torque_Enable"] for i in (1, 2, 3)] == [0, 0, 1]


def test_an_interface_is_brought_up_by_these_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = []
    monkeypatch.setattr(command, "run", ran.append)
    monkeypatch.setattr(network, "is_root", lambda: False)
    command.setup_can(SetupCanConfig(mode="setup", interfaces="can0, can1"))
    assert ran[1] == [
        ["ip", "link", "set", "can1", "down"],
        ["ip", "link", "set", "can1", "type", "can", *["bitrate", "1000000", "dbitrate", "5000000", "fd", "on"]],
        ["ip", "link", "set", "can1", "up"],
    ]
    assert "sudo ip link set can0 up" in capsys.readouterr().out


def test_without_root_the_lines_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "is_root", lambda: False)
    monkeypatch.setattr(network.shutil, "which", lambda name: "/sbin/ip" if name == "ip" else None)
    with pytest.raises(DeviceConnectionError, match="needs root") as caught:
        network.run(network.bring_up_commands("can0", 1_000_000, None))
    assert "  ip link set can0 type can bitrate 1000000\n" in caught.value.hint


def test_a_command_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "ip"
    fake.write_text('#!/bin/sh\necho "Cannot find device" >&2\nexit 1\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(network, "is_root", lambda: True)
    with pytest.raises(DeviceConnectionError, match=r"type can bitrate 500000.* failed: Cannot find device"):
        network.run(network.bring_up_commands("can0", 500_000, None))


def test_doctor_names_interfaces_that_are_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    facts: list[Fact] = []
    for name, kind, flags in (("can0", "280", "0x80"), ("can1", "280", "0x81"), ("eth0", "1", "0x1003")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "type").write_text(kind + "\n")
        (tmp_path / name / "flags").write_text(flags + "\n")
    found = network.can_interfaces(tmp_path)
    monkeypatch.setattr(installation, "can_interfaces", lambda: found)
    installation.examine_installation(facts.append)
    assert facts[0].found == "can0 (down), can1 (up)"
    assert facts[0].advice == "Bring up can0: lerobot setup-can --mode=setup --interfaces=can0"
    monkeypatch.setattr(installation, "can_interfaces", list)
    installation.examine_installation(facts.append)
    assert facts[1].found.startswith("none")
    assert not facts[1].advice
