"""The commands that act on devices: calibrate, set up motors, find ports, cameras and joint limits."""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lerobot.core.commands.calibrate import CalibrateConfig
from lerobot.core.commands.find_cameras import FindCamerasConfig
from lerobot.core.commands.find_joint_limits import FindJointLimitsConfig
from lerobot.core.commands.find_port import FindPortConfig
from lerobot.core.commands.setup_motors import SetupMotorsConfig
from lerobot.core.control import ControlLoop, TeleoperatorSource, require_features
from lerobot.core.devices.camera_search import Found, asked_for, description, installed, save_pictures, watch_pictures
from lerobot.core.devices.joint_ranges import BANNER, JointRanges, joint_positions, show
from lerobot.core.devices.person import needs_a_person
from lerobot.core.devices.ports import SerialPort, serial_ports, unplugged
from lerobot.core.errors import DeviceError
from lerobot.core.hooks import load_hooks
from lerobot.core.prompts import Prompter, TerminalPrompter
from lerobot.core.protocols import Calibratable, Robot, Teleoperator
from lerobot.core.protocols.ability import AsksToCalibrate, HasMotorSetup
from lerobot.core.registry.catalog import install_hint
from lerobot.core.safety import SafetyGate, StopSignals, check_safety, safe_end

log = logging.getLogger(__name__)

SETTLE_S = 0.5
"""Time the system takes to remove the port of a device that was unplugged."""


def calibrate(config: CalibrateConfig, prompter: Prompter | None = None) -> None:
    """Calibrate a robot or a teleoperator.

    Whatever happens, Ctrl-C included, a robot ends in its safe state and the device is disconnected. One that asks
    questions is not touched where nobody can answer them.

    Args:
        config: validated configuration.
        prompter: who is told the result; the terminal if None.

    Raises:
        DeviceError: the device cannot be reached or calibrated.
        LeRobotError: the device asks questions and nobody is at the terminal.
    """
    device: Calibratable = config.device.build()
    with load_hooks().run("calibrate", config), needs_a_person(f"calibrating {device}"):
        _look_for_a_person(device)
        if isinstance(device, Robot):
            with safe_end(device) as session:
                session.connect(calibrate=False)
                device.calibrate()
        else:
            _calibrate_unpowered(device)
    (prompter or TerminalPrompter()).say(f"{device} is calibrated.")


def _look_for_a_person(device: Calibratable) -> None:
    if not isinstance(device, AsksToCalibrate) or not device.calibration_asks:
        return
    if isinstance(device.prompter, TerminalPrompter) and not device.prompter.is_there():
        raise EOFError(f"{device} asks questions")


def _calibrate_unpowered(device: Calibratable) -> None:
    """Teleoperators are moved by hand: disconnecting is their safe end."""
    with StopSignals():
        try:
            device.connect(calibrate=False)
            device.calibrate()
        finally:
            device.disconnect()


def setup_motors(config: SetupMotorsConfig, prompter: Prompter | None = None) -> None:
    """Let a device walk through its motors, one at a time, and give each its id and speed.

    Args:
        config: validated configuration.
        prompter: who is told the result; the terminal if None.

    Raises:
        DeviceError: the device has no motors to set up, or one does not answer.
        LeRobotError: nobody is at the terminal.
    """
    device = config.device.build()
    if not isinstance(device, HasMotorSetup):
        raise DeviceError(
            f"Device type '{config.device.type}' does not support motor setup.",
            device=str(device),
            expected="a device whose motors share a bus and need ids",
            hint=f"See what it can do: lerobot plugins info {config.device.kind} {config.device.type}",
        )
    hooks = load_hooks()
    with hooks.run("setup-motors", config), needs_a_person(f"setting up the motors of {device}"), StopSignals():
        try:
            device.setup_motors()
        finally:
            device.disconnect()
    (prompter or TerminalPrompter()).say(f"The motors of {device} are set up.")


def find_port(
    config: FindPortConfig,
    prompter: Prompter | None = None,
    ports: Callable[[], Sequence[SerialPort]] = serial_ports,
    settle_s: float = SETTLE_S,
) -> None:
    """Find the port that disappears when a cable is pulled.

    Args:
        config: validated configuration.
        prompter: who is asked to pull the cable; the person at the terminal if None.
        ports: lists the ports that exist now.
        settle_s: seconds to wait after the cable was pulled.

    Raises:
        DeviceConnectionError: no port disappeared, or several did.
        LeRobotError: nobody is at the terminal.
    """
    prompter = prompter or TerminalPrompter()
    if config.format == "json":
        prompter.say(json.dumps([asdict(port) for port in ports()], indent=2))
        return
    if config.list_only:
        _list_ports(ports(), prompter)
        return
    prompter.say("Finding all available ports for the MotorsBus.")
    before = ports()
    prompter.say(f"Ports before disconnecting: {[port.path for port in before]}")
    prompter.say("Remove the USB cable from your MotorsBus and press Enter when done.")
    with needs_a_person("finding a port", hint="List ports without asking: lerobot find-port --list_only"):
        prompter.ask("")
    time.sleep(settle_s)
    port = unplugged(before, ports())
    prompter.say(f"The port of this MotorsBus is '{port.path}'")
    if port.stable_path:
        prompter.say(f"It keeps this name when devices are plugged in another order: '{port.stable_path}'")
    prompter.say("Reconnect the USB cable.")


def _list_ports(found: Sequence[SerialPort], prompter: Prompter) -> None:
    for port in found:
        prompter.say(f"{port.path}  {port.stable_path}".rstrip())
    if not found:
        prompter.say("No serial ports were found.")


def find_cameras(config: FindCamerasConfig, prompter: Prompter | None = None) -> None:
    """List attached cameras and save a picture of each.

    Args:
        config: validated configuration.
        prompter: who is told; the terminal if None.

    Raises:
        PluginError: the type that was asked for is not installed, or cannot be loaded.
        LeRobotError: the type that was asked for cannot look for cameras.
    """
    prompter = prompter or TerminalPrompter()
    classes = dict([asked_for(config.camera_type)] if config.camera_type else installed())
    found_by = {name: cls.find_cameras() for name, cls in classes.items()}
    if not config.camera_type:
        # Who looks for cameras looks for attached ones.
        simulated = [name for name, found in found_by.items() if found and all(map(_is_simulated, found))]
        found_by = {name: found for name, found in found_by.items() if name not in simulated}
    cameras = [(classes[name], found) for name, each in found_by.items() for found in each]
    if config.format == "json":
        _list_cameras(found_by, cameras, config, prompter)
        return
    if not cameras:
        prompter.say(_nothing_found(config.camera_type, sorted(found_by)))
        return
    prompter.say("\n--- Detected Cameras ---")
    for number, (_, found) in enumerate(cameras):
        prompter.say(f"Camera #{number}:")
        for line in description(found, "  "):
            prompter.say(line)
        prompter.say("-" * 20)
    if config.watch:
        prompter.say(f"Images are saved to {config.output_dir} until Ctrl-C.")
        for _ in watch_pictures(cameras, config, prompter.say):
            pass
    if config.record_time_s and any(save_pictures(cameras, config, prompter.say)):
        prompter.say(f"Image capture finished. Images saved to {config.output_dir}")


def _list_cameras(
    found_by: Mapping[str, list[dict[str, Any]]], cameras: list[Found], config: FindCamerasConfig, prompter: Prompter
) -> None:
    """Write the list for a program; of watched cameras a line whenever there are new pictures."""
    rounds: Iterator[list[Path | None]] = iter([[None] * len(cameras)])
    if config.watch:
        rounds = watch_pictures(cameras, config, log.warning)
    elif config.record_time_s:
        rounds = iter([save_pictures(cameras, config, log.warning)])
    named = [{"camera": name, **found} for name, each in found_by.items() for found in each]
    for pictures in rounds:
        listed = [{**found, "picture": picture} for found, picture in zip(named, pictures, strict=True)]
        prompter.say(json.dumps(listed, indent=None if config.watch else 2, default=str))


def _is_simulated(found: Mapping[str, Any]) -> bool:
    return bool(found.get("simulated"))


def _nothing_found(asked: str | None, looked_for: list[str]) -> str:
    if asked:
        return f"No {asked} cameras were detected."
    if looked_for:
        return f"No cameras ({' or '.join(looked_for)}) were detected."
    return f"No installed package can look for cameras; lerobot-opencv can. {install_hint('lerobot-opencv')}"


def find_joint_limits(config: FindJointLimitsConfig, prompter: Prompter | None = None) -> int:
    """Measure how far each joint moves while somebody teleoperates; it is shown also after Ctrl-C.

    Args:
        config: validated configuration.
        prompter: who is told; the terminal if None.

    Returns:
        0; 128 plus the signal's number when a signal ended the run.

    Raises:
        FeatureMismatchError: the teleoperator does not fit the robot, or the robot measures no positions.
        DeviceError: a device failed.
    """
    prompter = prompter or TerminalPrompter()
    robot: Robot = config.robot.build()
    teleop: Teleoperator = config.teleop.build()
    require_features(
        teleop.action_features, robot.action_features, giver=f"teleoperator {teleop}", taker=f"robot {robot}"
    )
    check_safety(robot, config.safety)
    features = joint_positions(robot)
    if config.urdf_path is not None:
        prompter.say("Bounds of the end effector are not measured: no installed package computes kinematics.")
    total_s = config.warmup_time_s + config.teleop_time_s
    ranges = JointRanges(list(features), config.warmup_time_s, total_s, prompter)
    hooks = load_hooks()
    with hooks.run("find-joint-limits", config), safe_end(robot, teleop) as session:
        session.close_later("results", lambda: show(ranges, features, prompter))
        prompter.say(f"Connecting to robot: {config.robot.type}...")
        session.connect()
        prompter.say("Devices connected.")
        prompter.say(f"{BANNER}\nWARMUP PHASE ({config.warmup_time_s:g} s): nothing is recorded yet.\n{BANNER}")
        loop = ControlLoop(
            robot,
            TeleoperatorSource(teleop),
            SafetyGate.for_robot(robot, config.safety),
            fps=config.control_loop_fps,
            sinks=[ranges],
            hooks=hooks,
            signals=session.signals,
        )
        loop.run(duration_s=total_s)
    return session.signals.exit_code
