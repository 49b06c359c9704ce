"""Numbers in sentences."""

import pytest

from lerobot.core.words import counted


@pytest.mark.parametrize(("number", "text"), [(0, "0 episodes"), (1, "1 episode"), (12345, "12,345 episodes")])
def test_one_is_singular(number: int, text: str) -> None:
    assert counted(number, "episode") == text
