"""What `lerobot setup-can` does; its texts are those of huggingface/lerobot where they say the same."""

import time
from collections.abc import Callable

from lerobot.can.channel import Channel
from lerobot.can.commands.setup_can import SetupCanConfig
from lerobot.can.damiao.protocol import Damiao
from lerobot.can.frame import Frame, MotorState
from lerobot.can.interfaces.network import as_root, bring_up_commands, run
from lerobot.can.link import CanLink
from lerobot.can.motor import CanMotor
from lerobot.can.protocol import CLEAR_FAULT, DISABLE
from lerobot.core.errors import DeviceConnectionError
from lerobot.core.prompts import TerminalPrompter

RULE = "=" * 50
NAMES = {8: "gripper", **{motor_id: f"joint_{motor_id}" for motor_id in range(1, 8)}}
"""Joints of an OpenArm, whose ids these are."""

DAMIAO = Damiao()
SOME_MODEL = "dm4310"
"""Ids and faults stand in the same place for every model; nothing else is read here."""


def setup_can(config: SetupCanConfig) -> None:
    """Do what `mode` says on every interface.

    Raises:
        DeviceConnectionError: an interface cannot be set up or opened, or no motor answers on any.
    """
    interfaces = [name.strip() for name in config.interfaces.split(",") if name.strip()]
    if config.mode == "setup":
        _set_up(config, interfaces)
        return
    title, work = _WORK[config.mode]
    _headline(title)
    answered = 0
    for interface in interfaces:
        say(f"\n{interface}:")
        answered += _on_interface(config, interface, work)
    say(f"\nTotal motors found: {answered}")
    if not answered:
        raise DeviceConnectionError(
            f"No motor answers on {', '.join(interfaces)}.",
            hint="Check the supply of the motors, CANH and CANL, the termination of 120 ohm at both ends, and that the "
            "bit rates of motors and interface are equal.",
        )


def _set_up(config: SetupCanConfig, interfaces: list[str]) -> None:
    _headline("CAN Interface Setup")
    data_bitrate = config.data_bitrate if config.use_fd else None
    say(f"Mode: {'CAN FD' if config.use_fd else 'CAN 2.0'}")
    say(f"Bitrate: {config.bitrate / 1e6:g} Mbps")
    if config.use_fd:
        say(f"Data bitrate: {config.data_bitrate / 1e6:g} Mbps")
    for interface in interfaces:
        say(f"\nConfiguring {interface}...")
        commands = bring_up_commands(interface, config.bitrate, data_bitrate)
        for command in commands:
            say(f"  {' '.join(as_root(command))}")
        run(commands)
        say(f"  ✓ {interface}: UP")
    say("\nSetup complete!")
    say(f"\nNext: Test motors with:\n  lerobot setup-can --mode=test --interfaces {','.join(interfaces)}")


def say(text: str) -> None:
    """Tell the person at the terminal."""
    TerminalPrompter().say(text)


def _headline(title: str) -> None:
    say(f"{RULE}\n{title}\n{RULE}")


def _on_interface(config: SetupCanConfig, interface: str, work: Callable[..., int]) -> int:
    """Do something with an interface open; returns how many motors answered."""
    link = CanLink(interface, Channel(bitrate=config.bitrate, use_fd=config.use_fd))
    link.open()
    try:
        return work(config, link)
    finally:
        link.close()


def _ask(link: CanLink, question: Frame, motor: CanMotor, timeout_s: float) -> tuple[Frame, MotorState] | None:
    """Ask one motor; its answer is known by the id it begins with, whatever its reply id is."""
    link.send(question)
    deadline = time.monotonic() + timeout_s
    while (left := deadline - time.monotonic()) > 0:
        frame = link.receive(left)
        state = DAMIAO.state(motor, frame) if frame is not None else None
        if frame is not None and state is not None:
            return frame, state
    return None


def _test(config: SetupCanConfig, link: CanLink) -> int:
    found = 0
    for motor_id in config.motor_ids:
        motor = CanMotor(motor_id, SOME_MODEL)
        label = f"  Motor 0x{motor_id:02X} ({NAMES.get(motor_id, 'unknown')})"
        answer = _ask(link, DAMIAO.query(motor, None), motor, config.timeout)
        if answer is None:
            say(f"{label}: ✗ No response")
            continue
        frame, state = answer
        kind = " [FD]" if link.channel.is_fd(link.port) else ""
        say(f"{label}: ✓ FOUND{f', but it has switched itself off: {state.fault}' if state.fault else ''}")
        say(f"    → Response 0x{frame.id:02X}{kind}: {frame.data.hex()}")
        found += 1
    say(f"\n  Summary: {found}/{len(config.motor_ids)} motors found")
    return found


def _speed(config: SetupCanConfig, link: CanLink) -> int:
    found = 0
    for motor_id in config.motor_ids:
        motor = CanMotor(motor_id, SOME_MODEL)
        if _ask(link, DAMIAO.query(motor, None), motor, config.timeout) is None:
            continue
        found += 1
        times = []
        for _ in range(config.speed_iterations):
            begin = time.perf_counter()
            if _ask(link, DAMIAO.query(motor, None), motor, config.timeout) is not None:
                times.append(time.perf_counter() - begin)
        say(f"  Motor 0x{motor_id:02X} ({NAMES.get(motor_id, 'unknown')})")
        say(f"  ✓ Success rate: {len(times)}/{config.speed_iterations}")
        if times:
            mean = sum(times) / len(times)
            say(f"  ✓ Avg latency: {1000 * mean:.2f} ms\n  ✓ Max frequency: {1 / mean:.1f} Hz")
    return found


def _clear(config: SetupCanConfig, link: CanLink) -> int:
    found = 0
    for motor_id in config.motor_ids:
        motor = CanMotor(motor_id, SOME_MODEL)
        if _ask(link, Frame(motor_id, DISABLE), motor, config.timeout) is None:
            continue
        found += 1
        _ask(link, Frame(motor_id, CLEAR_FAULT), motor, config.timeout)
        answer = _ask(link, DAMIAO.query(motor, None), motor, config.timeout)
        fault = answer[1].fault if answer is not None else "it does not answer any more"
        say(f"  Motor 0x{motor_id:02X}: {f'✗ {fault}' if fault else '✓ off, without a fault'}")
    return found


_WORK: dict[str, tuple[str, Callable[..., int]]] = {
    "test": ("CAN Motor Test", _test),
    "speed": ("CAN Speed Test", _speed),
    "clear": ("CAN Fault Clearing", _clear),
}
