"""One is singular, none has no numbers."""

from lerobot.core.amounts import counted, numbers_of


def test_one_has_no_s() -> None:
    assert [counted(number, "frame") for number in (0, 1, 2)] == ["0 frames", "1 frame", "2 frames"]


def test_numbers_begin_at_zero_and_may_be_none() -> None:
    assert [numbers_of(total) for total in (0, 1, 3)] == ["no number: there is none", "0", "0 to 2"]
