"""What a terminal's bytes mean, and how long a key is held."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot.core.terminal.keys import ESCAPE_S, KEYS, HeldKeys, KeyDecoder


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"wW+", ["w", "w", "+"]),
        (b"\x1b[A\x1b[B\x1b[C\x1b[D", ["up", "down", "right", "left"]),
        (b"\x1bOA\x1bOB", ["up", "down"]),
        (b"\x1b[5~\x1b[6~\x1b[3~\x1b[H", ["page_up", "page_down", "delete", "home"]),
        (b"\x1b[1;2A", ["up"]),  # with Shift
        (b" \t\n\r\x7f", ["space", "tab", "enter", "enter", "backspace"]),
        (b"\x1bx", ["esc", "x"]),
        ("ä".encode(), []),
        (b"\x1b[99~\x1b[M", []),
    ],
)
def test_bytes_are_keys(data, keys) -> None:
    """Sequences are those of xterm's control sequence documentation (ctlseqs, PC-style function keys)."""
    decoder = KeyDecoder()
    assert decoder.feed(data, 0.0) == keys
    assert decoder.feed(b"", 1.0) == []


@given(st.lists(st.sampled_from([b"w", b"\x1b[A", b"\x1b[6~", b"\x1bOC", b"\x1b[1;2D", b"+"]), max_size=20), st.data())
def test_keys_may_arrive_in_pieces(typed, data) -> None:
    whole = b"".join(typed)
    expected = KeyDecoder().feed(whole, 0.0)
    cut = data.draw(st.integers(0, len(whole)))
    decoder = KeyDecoder()
    assert decoder.feed(whole[:cut], 0.0) + decoder.feed(whole[cut:], ESCAPE_S / 2) == expected


@given(st.binary(max_size=50))
def test_no_bytes_break_it(data) -> None:
    decoder = KeyDecoder()
    keys = decoder.feed(data, 0.0) + decoder.feed(b"", 10.0)
    assert set(keys) <= set(KEYS)


def test_escape_alone_is_told_when_nothing_follows() -> None:
    decoder = KeyDecoder()
    assert decoder.feed(b"\x1b", 1.0) == []
    assert decoder.feed(b"", 1.0 + ESCAPE_S / 2) == []
    assert decoder.feed(b"", 1.0 + ESCAPE_S * 2) == ["esc"]


def test_a_tap_is_held_until_the_keyboard_would_repeat() -> None:
    keys = HeldKeys(hold_s=0.5, repeat_s=0.15)
    keys.press("w", 10.0)
    assert keys.held(10.49) == {"w"}
    assert keys.held(10.51) == set()


def test_a_key_that_repeats_is_held_without_a_gap_and_released_quickly() -> None:
    keys = HeldKeys(hold_s=0.5, repeat_s=0.15)
    times = [0.0, 0.45, *(0.45 + 0.03 * i for i in range(1, 20))]
    for time, following in pairwise(times):
        keys.press("w", time)
        assert keys.held(following - 1e-6) == {"w"}
    assert keys.held(times[-2] + 0.16) == set()
    assert keys.typed() == ["w"], "it went down once"
    assert keys.typed() == []


def test_two_keys_are_held_side_by_side() -> None:
    keys = HeldKeys(hold_s=0.5, repeat_s=0.15)
    keys.press("w", 0.0)
    keys.press("a", 0.2)
    assert keys.held(0.4) == {"w", "a"}
    assert keys.held(0.6) == {"a"}
