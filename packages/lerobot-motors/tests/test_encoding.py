import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot.motors import MotorValueError
from lerobot.motors.encoding import (
    decode_sign_magnitude,
    decode_twos_complement,
    encode_sign_magnitude,
    encode_twos_complement,
)


@pytest.mark.parametrize(
    ("value", "bit", "encoded"), [(-14, 11, 0x80E), (14, 11, 14), (-2047, 11, 0xFFF), (-1, 15, 0x8001)]
)
def test_sign_and_magnitude(value, bit, encoded) -> None:
    assert encode_sign_magnitude(value, bit) == encoded
    assert decode_sign_magnitude(encoded, bit) == value


def test_negative_zero_is_zero() -> None:
    assert decode_sign_magnitude(0x800, 11) == 0


@pytest.mark.parametrize("value", [2048, -2048])
def test_a_magnitude_that_does_not_fit_is_named(value) -> None:
    with pytest.raises(MotorValueError, match=r"Magnitude 2048 exceeds 2047 \(max for sign_bit_index=11\)"):
        encode_sign_magnitude(value, 11)


@settings(deadline=None)
@given(st.integers(-(2**31), 2**31 - 1))
def test_twos_complement_is_what_struct_packs(value) -> None:
    encoded = encode_twos_complement(value, 4)
    assert encoded.to_bytes(4, "little") == struct.pack("<i", value)
    assert decode_twos_complement(encoded, 4) == value


@pytest.mark.parametrize("value", [-32769, 32768])
def test_a_number_that_needs_more_bytes_is_refused(value) -> None:
    with pytest.raises(MotorValueError, match=str(value)):
        encode_twos_complement(value, 2)
