"""Devices of one simulated world find each other."""

import pytest

from lerobot.core.errors import DeviceError
from lerobot.core.running import Running


def test_the_only_one_is_found_without_a_name_and_every_one_by_its_own() -> None:
    running: Running[str] = Running("toy")
    with pytest.raises(DeviceError, match="leader found no simulated robot") as raised:
        running.find(None, wanted_by="leader")
    assert "--robot.type=toy" in str(raised.value.hint)
    running.enter(None, "first")
    assert running.find(None, wanted_by="leader") == "first"
    running.leave(None, "first")
    running.enter("left", "one")
    running.enter("right", "two")
    assert running.find("right", wanted_by="leader") == "two"
    assert running.all() == ["one", "two"]
    for name in (None, "middle"):
        with pytest.raises(DeviceError, match="found no simulated robot"):
            running.find(name, wanted_by="leader")


def test_an_id_belongs_to_one_world() -> None:
    running: Running[list[int]] = Running("toy")
    mine, other = [1], [1]
    running.enter("a", mine)
    running.enter("a", mine)
    with pytest.raises(DeviceError, match="type toy with the id 'a' is already running"):
        running.enter("a", other)
    running.leave("a", other)
    assert running.find("a", wanted_by="x") is mine
