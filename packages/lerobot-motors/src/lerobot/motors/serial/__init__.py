"""Servos on a serial line, whatever their protocol, and devices that print lines of integers.

- `port`: the serial port; `wire`: what a protocol adds, packets and replies; `link`: retries and `statistics` around it
- `registers`: registers by name, in user units
- `chain`: the servos of one line: connection, pings, torque
- `setup`, `sweep`, `diagnosis`, `identity`: new motors, new calibrations, what is wrong, which arm it is
- `bus`: all of it as the one object that devices use
- `integer_lines`: the lines of a glove or an exoskeleton
"""

from lerobot.motors.serial.bus import SerialMotorsBus
from lerobot.motors.serial.integer_lines import IntegerLines
from lerobot.motors.serial.port import SerialPort
from lerobot.motors.serial.statistics import BusStatistics
from lerobot.motors.serial.sweep import calibrate_by_sweep
from lerobot.motors.serial.wire import Outcome, Reply, Wire

__all__ = [
    "BusStatistics",
    "IntegerLines",
    "Outcome",
    "Reply",
    "SerialMotorsBus",
    "SerialPort",
    "Wire",
    "calibrate_by_sweep",
]
