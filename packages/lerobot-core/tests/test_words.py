"""Numbers in sentences."""

import pytest

from lerobot.core.words import counted, numbers_of


@pytest.mark.parametrize(("number", "text"), [(0, "0 episodes"), (1, "1 episode"), (12345, "12,345 episodes")])
def test_one_is_singular(number: int, text: str) -> None:
    assert counted(number, "episode") == text


@pytest.mark.parametrize(("total", "text"), [(0, "no number: there is none"), (1, "0"), (3, "0 to 2")])
def test_numbers_begin_at_zero_and_may_be_none(total: int, text: str) -> None:
    assert numbers_of(total) == text
