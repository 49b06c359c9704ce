"""Registers of Dynamixel X servos: name to (address, bytes).

Source: ROBOTIS e-Manual, control tables of the XL330, XL430, XC330, XC430, XM430, XM540 and XH540.
"""

from lerobot.motors.calibration_limits import CalibrationLimits

Register = tuple[int, int]

X_SERIES: dict[str, Register] = {
    # EEPROM
    "Model_Number": (0, 2),
    "Model_Information": (2, 4),
    "Firmware_Version": (6, 1),
    "ID": (7, 1),
    "Baud_Rate": (8, 1),
    "Return_Delay_Time": (9, 1),
    "Drive_Mode": (10, 1),
    "Operating_Mode": (11, 1),
    "Secondary_ID": (12, 1),
    "Protocol_Type": (13, 1),
    "Homing_Offset": (20, 4),
    "Moving_Threshold": (24, 4),
    "Temperature_Limit": (31, 1),
    "Max_Voltage_Limit": (32, 2),
    "Min_Voltage_Limit": (34, 2),
    "PWM_Limit": (36, 2),
    "Current_Limit": (38, 2),
    "Acceleration_Limit": (40, 4),
    "Velocity_Limit": (44, 4),
    "Max_Position_Limit": (48, 4),
    "Min_Position_Limit": (52, 4),
    "Shutdown": (63, 1),
    # RAM
    "Torque_Enable": (64, 1),
    "LED": (65, 1),
    "Status_Return_Level": (68, 1),
    "Registered_Instruction": (69, 1),
    "Hardware_Error_Status": (70, 1),
    "Velocity_I_Gain": (76, 2),
    "Velocity_P_Gain": (78, 2),
    "Position_D_Gain": (80, 2),
    "Position_I_Gain": (82, 2),
    "Position_P_Gain": (84, 2),
    "Feedforward_2nd_Gain": (88, 2),
    "Feedforward_1st_Gain": (90, 2),
    "Bus_Watchdog": (98, 1),
    "Goal_PWM": (100, 2),
    "Goal_Current": (102, 2),
    "Goal_Velocity": (104, 4),
    "Profile_Acceleration": (108, 4),
    "Profile_Velocity": (112, 4),
    "Goal_Position": (116, 4),
    "Realtime_Tick": (120, 2),
    "Moving": (122, 1),
    "Moving_Status": (123, 1),
    "Present_PWM": (124, 2),
    "Present_Current": (126, 2),
    "Present_Velocity": (128, 4),
    "Present_Position": (132, 4),
    "Velocity_Trajectory": (136, 4),
    "Position_Trajectory": (140, 4),
    "Present_Input_Voltage": (144, 2),
    "Present_Temperature": (146, 1),
}

EEPROM_END = 64
"""First address that is not kept without power and may be written while torque is on."""

MODEL_NUMBERS = {
    "xl330-m077": 1190,
    "xl330-m288": 1200,
    "xl430-w250": 1060,
    "xm430-w350": 1020,
    "xm540-w270": 1120,
    "xc430-w150": 1070,
    "xh540-w150": 1110,
    "xc330-t288": 1220,
    "xc330-t181": 1210,
}

CONTROL_TABLES: dict[str, dict[str, Register]] = dict.fromkeys(
    ("x_series", "xl330", "xl430", "xm430", "xm540", *MODEL_NUMBERS), X_SERIES
)

RESOLUTIONS = dict.fromkeys(CONTROL_TABLES, 4096)

CURRENT_UNITS_MA = {
    "xl330-m077": 1.0,
    "xl330-m288": 1.0,
    "xc330-t288": 1.0,
    "xc330-t181": 1.0,
    "xm430-w350": 2.69,
    "xm540-w270": 2.69,
    "xh540-w150": 2.69,
}
"""Unit of Present_Current in mA; where XL430 and XC430 have it, they have Present Load, in 0.1 % (e-Manual)."""

SPEEDS_DEG_S = {
    "xl330-m077": 2298.0,
    "xl330-m288": 618.0,
    "xl430-w250": 342.0,
    "xm430-w350": 276.0,
    "xm540-w270": 180.0,
    "xc430-w150": 636.0,
}
"""No-load speeds: 383 and 103 rpm at 5 V, 57 rpm at 11.1 V, 46, 30 and 106 rpm at 12 V (e-Manual, specifications)."""

SIGNED_BYTES = {
    "Homing_Offset": 4,
    "Goal_PWM": 2,
    "Goal_Current": 2,
    "Goal_Velocity": 4,
    "Goal_Position": 4,
    "Present_PWM": 2,
    "Present_Current": 2,
    "Present_Velocity": 4,
    "Present_Position": 4,
}
"""Bytes of the registers that hold two's complement numbers; all others are unsigned."""

BAUD_CODES = {9_600: 0, 57_600: 1, 115_200: 2, 1_000_000: 3, 2_000_000: 4, 3_000_000: 5, 4_000_000: 6}
"""Baud rate to content of the Baud_Rate register, in the order motors are searched."""

SCAN_BAUDRATES = (
    *(9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 500_000, 576_000, 921_600, 1_000_000, 1_152_000),
    *(2_000_000, 2_500_000, 3_000_000, 3_500_000, 4_000_000),
)

REFUSALS = {
    1: "it could not process the instruction",
    2: "it does not know the instruction",
    3: "the packet was damaged on the way",
    4: "the value is out of range",
    5: "the data length is wrong",
    6: "the value exceeds a limit register",
    7: "the register cannot be accessed now (is torque on?)",
}
"""Error numbers of a status packet."""

ALERT_BIT = 0x80
"""Bit of the error byte that says Hardware_Error_Status is not zero."""

HARDWARE_ERRORS = {1: "voltage", 4: "overheating", 8: "angle sensor", 16: "electrical shock", 32: "overload"}
"""Bits of Hardware_Error_Status."""

LARGEST_HOMING_OFFSET = 1_044_479
"""In both directions; in plain position mode a servo ignores more than 1024 (e-Manual, Homing Offset)."""


def limits_of(motor_id: int, model: str) -> CalibrationLimits:
    """What a servo can hold of a calibration: position limits of one turn, and the four bits of Drive_Mode."""
    return CalibrationLimits(
        motor_id,
        (0, RESOLUTIONS[model] - 1),
        homing_offset=(-LARGEST_HOMING_OFFSET, LARGEST_HOMING_OFFSET),
        drive_mode=(0, 15),
    )
