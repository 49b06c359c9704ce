"""Signed numbers in registers: sign and magnitude (Feetech), two's complement (Dynamixel)."""

from lerobot.motors.errors import MotorValueError


def encode_sign_magnitude(value: int, sign_bit: int) -> int:
    """Put the magnitude in the low bits and the sign in bit `sign_bit`.

    Raises:
        MotorValueError: the magnitude needs more than `sign_bit` bits.
    """
    largest = (1 << sign_bit) - 1
    if abs(value) > largest:
        raise MotorValueError(
            f"Magnitude {abs(value)} exceeds {largest} (max for sign_bit_index={sign_bit}).",
            expected=f"a value between {-largest} and {largest}",
        )
    return abs(value) | (int(value < 0) << sign_bit)


def decode_sign_magnitude(encoded: int, sign_bit: int) -> int:
    """Undo `encode_sign_magnitude`; bits above the sign are ignored."""
    magnitude = encoded & ((1 << sign_bit) - 1)
    return -magnitude if encoded >> sign_bit & 1 else magnitude


def encode_twos_complement(value: int, n_bytes: int) -> int:
    """Map a signed number to the unsigned number with the same `n_bytes` bytes.

    Raises:
        MotorValueError: the number needs more bytes.
    """
    half = 1 << (8 * n_bytes - 1)
    if not -half <= value < half:
        raise MotorValueError(
            f"{value} does not fit a signed register of {n_bytes} bytes.",
            expected=f"a value between {-half} and {half - 1}",
        )
    return value % (2 * half)


def decode_twos_complement(encoded: int, n_bytes: int) -> int:
    """Undo `encode_twos_complement`."""
    half = 1 << (8 * n_bytes - 1)
    return encoded - 2 * half if encoded >= half else encoded
