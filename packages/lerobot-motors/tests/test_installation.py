import os
from types import SimpleNamespace

import pytest

from lerobot.core.installation import Fact
from lerobot.motors.installation import examine_installation


@pytest.mark.skipif(os.name != "posix", reason="elsewhere ports have no permissions")
@pytest.mark.parametrize("allowed", [True, False])
def test_a_port_that_may_not_be_opened_comes_with_the_way_to_open_it(monkeypatch, allowed) -> None:
    adapter = SimpleNamespace(device="/dev/ttyACM0", description="USB serial", vid=0x1A86)
    built_in = SimpleNamespace(device="/dev/ttyS0", description="n/a", vid=None)
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [built_in, adapter])
    monkeypatch.setattr(os, "access", lambda path, _: allowed and path == "/dev/ttyACM0")
    facts: list[Fact] = []
    examine_installation(facts.append)
    (fact,) = facts
    assert fact.found == "/dev/ttyACM0 (USB serial)"
    assert ("dialout" in fact.advice) is not allowed
