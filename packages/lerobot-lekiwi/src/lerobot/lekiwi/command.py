"""`lerobot lekiwi-host`: a LeKiwi for clients of huggingface/lerobot."""

import logging
from typing import Any

from lerobot.core.clock import MonotonicClock
from lerobot.core.safety import GatedRobot
from lerobot.core.signals import check_stop, ended_by_signal
from lerobot.lekiwi.commands.lekiwi_host import LeKiwiHostConfig
from lerobot.lekiwi.host import Host
from lerobot.lekiwi.sockets import HostSockets

log = logging.getLogger(__name__)


def lekiwi_host(config: LeKiwiHostConfig) -> None:
    """Run the command, until its time is over or a signal comes.

    Raises:
        DeviceError: the robot or a camera failed, or nothing can listen on the ports.
    """
    options = config.host
    robot: Any = config.robot.build()
    clock = MonotonicClock()
    with ended_by_signal(), HostSockets(options, list(robot.cameras)) as sockets:
        if options.allow_anybody:
            log.warning("anybody who reaches %s:%d drives the robot", options.bind, options.port_zmq_cmd)
        with GatedRobot.connected(robot, config.safety) as gated:
            host = Host(robot, gated, sockets, watchdog_s=options.watchdog_timeout_ms / 1000)
            log.info("waiting for commands on %s:%d", options.bind, options.port_zmq_cmd)
            begin, tick = clock.now(), 0
            while options.connection_time_s is None or tick < options.connection_time_s * options.max_loop_freq_hz:
                check_stop()
                host.tick()
                tick += 1
                clock.sleep_until(begin + tick / options.max_loop_freq_hz)
