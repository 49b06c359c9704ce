"""Registers of Feetech servos: name to (address, bytes), as printed in the vendor's memory tables.

Source: Feetech STS/SMS and SCS memory tables. Names, including the space after `Acceleration_Multiplier`, are those
that plugins and saved configurations use.
"""

from lerobot.motors.calibration_limits import CalibrationLimits

Register = tuple[int, int]

STS_SMS: dict[str, Register] = {
    # EEPROM
    "Firmware_Major_Version": (0, 1),
    "Firmware_Minor_Version": (1, 1),
    "Model_Number": (3, 2),
    "ID": (5, 1),
    "Baud_Rate": (6, 1),
    "Return_Delay_Time": (7, 1),
    "Response_Status_Level": (8, 1),
    "Min_Position_Limit": (9, 2),
    "Max_Position_Limit": (11, 2),
    "Max_Temperature_Limit": (13, 1),
    "Max_Voltage_Limit": (14, 1),
    "Min_Voltage_Limit": (15, 1),
    "Max_Torque_Limit": (16, 2),
    "Phase": (18, 1),
    "Unloading_Condition": (19, 1),
    "LED_Alarm_Condition": (20, 1),
    "P_Coefficient": (21, 1),
    "D_Coefficient": (22, 1),
    "I_Coefficient": (23, 1),
    "Minimum_Startup_Force": (24, 2),
    "CW_Dead_Zone": (26, 1),
    "CCW_Dead_Zone": (27, 1),
    "Protection_Current": (28, 2),
    "Angular_Resolution": (30, 1),
    "Homing_Offset": (31, 2),
    "Operating_Mode": (33, 1),
    "Protective_Torque": (34, 1),
    "Protection_Time": (35, 1),
    "Overload_Torque": (36, 1),
    "Velocity_closed_loop_P_proportional_coefficient": (37, 1),
    "Over_Current_Protection_Time": (38, 1),
    "Velocity_closed_loop_I_integral_coefficient": (39, 1),
    # RAM
    "Torque_Enable": (40, 1),
    "Acceleration": (41, 1),
    "Goal_Position": (42, 2),
    "Goal_Time": (44, 2),
    "Goal_Velocity": (46, 2),
    "Torque_Limit": (48, 2),
    "Lock": (55, 1),
    "Present_Position": (56, 2),
    "Present_Velocity": (58, 2),
    "Present_Load": (60, 2),
    "Present_Voltage": (62, 1),
    "Present_Temperature": (63, 1),
    "Status": (65, 1),
    "Moving": (66, 1),
    "Present_Current": (69, 2),
    "Goal_Position_2": (71, 2),
    # Factory
    "Moving_Velocity": (80, 1),
    "Moving_Velocity_Threshold": (80, 1),
    "DTs": (81, 1),
    "Velocity_Unit_factor": (82, 1),
    "Hts": (83, 1),
    "Maximum_Velocity_Limit": (84, 1),
    "Maximum_Acceleration": (85, 1),
    "Acceleration_Multiplier ": (86, 1),
}

SCS: dict[str, Register] = {
    **{name: register for name, register in STS_SMS.items() if register[0] < 28},
    "Protective_Torque": (37, 1),
    "Protection_Time": (38, 1),
    "Torque_Enable": (40, 1),
    "Acceleration": (41, 1),
    "Goal_Position": (42, 2),
    "Running_Time": (44, 2),
    "Goal_Velocity": (46, 2),
    "Lock": (48, 1),
    "Present_Position": (56, 2),
    "Present_Velocity": (58, 2),
    "Present_Load": (60, 2),
    "Present_Voltage": (62, 1),
    "Present_Temperature": (63, 1),
    "Sync_Write_Flag": (64, 1),
    "Status": (65, 1),
    "Moving": (66, 1),
    "PWM_Maximum_Step": (78, 1),
    "Moving_Velocity_Threshold*50": (79, 1),
    "DTs": (80, 1),
    "Minimum_Velocity_Limit*50": (81, 1),
    "Maximum_Velocity_Limit*50": (82, 1),
    "Acceleration_2": (83, 1),
}

KEPT = frozenset([*range(40), *range(80, 87)])
"""Addresses that are kept without power: EEPROM and factory parameters."""

CONTROL_TABLES: dict[str, dict[str, Register]] = {
    "sts_series": STS_SMS,
    "sms_series": STS_SMS,
    "scs_series": SCS,
    "sts3215": STS_SMS,
    "sts3250": STS_SMS,
    "sm8512bl": STS_SMS,
    "scs0009": SCS,
}

MODEL_NUMBERS = {"sts3215": 777, "sts3250": 2825, "sm8512bl": 11272, "scs0009": 1284}

PROTOCOLS = {model: 1 if table is SCS else 0 for model, table in CONTROL_TABLES.items()}

RESOLUTIONS = {model: 1024 if table is SCS else 4096 for model, table in CONTROL_TABLES.items()}

READ_ALONE = frozenset({"sm8512bl"})
"""Models that are read one by one: huggingface/lerobot leaves the SM8512BL out of sync reads, and so do we."""

SIGN_BITS = {
    "Present_Load": 10,
    "Homing_Offset": 11,
    "Goal_Position": 15,
    "Goal_Velocity": 15,
    "Goal_Speed": 15,
    "Present_Position": 15,
    "Present_Velocity": 15,
    "Present_Speed": 15,
}
"""Sign bit of the signed registers of STS and SMS servos; SCS servos have none."""

SPEEDS_DEG_S = {"sts3215": 270.0, "sts3250": 450.0, "scs0009": 600.0, "sm8512bl": 180.0}
"""No-load speeds: 0.222 s for 60 degrees of an STS3215 at 7.4 V (Feetech data sheet). Not checked with a data sheet:
0.133 s of an STS3250 at 12 V, 0.1 s of an SCS0009 at 6 V. That of an SM8512BL is what is assumed of any joint.
"""

BAUD_CODES = {1_000_000: 0, 500_000: 1, 250_000: 2, 128_000: 3, 115_200: 4, 76_800: 5, 57_600: 6, 38_400: 7}
"""Baud rate to content of the Baud_Rate register, in the order motors are searched; the vendor's codes 5 to 7."""

SCAN_BAUDRATES = (4_800, 9_600, 14_400, 19_200, 38_400, 57_600, 115_200, 128_000, 250_000, 500_000, 1_000_000)

ALERTS = {1: "voltage", 2: "angle sensor", 4: "overheating", 8: "over-current", 32: "overload"}
"""Bits of the error byte of a status packet."""


def limits_of(motor_id: int, model: str) -> CalibrationLimits:
    """What a servo can hold of a calibration: STS and SMS keep an offset of 11 bits and a sign, SCS keep none.

    The position limits are those of one turn; the drive mode is kept by no servo.
    """
    largest = (1 << SIGN_BITS["Homing_Offset"]) - 1
    keeps_offset = "Homing_Offset" in CONTROL_TABLES[model]
    return CalibrationLimits(
        motor_id, (0, RESOLUTIONS[model] - 1), homing_offset=(-largest, largest) if keeps_offset else None
    )
