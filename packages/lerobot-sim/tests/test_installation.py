import re

from lerobot.core.installation import Fact
from lerobot.sim.installation import examine_installation
from lerobot.sim.rendering import available


def test_the_doctor_is_told_how_pictures_are_made_and_how_fast() -> None:
    facts: list[Fact] = []
    examine_installation(facts.append)
    (fact,) = facts
    chosen, _, rates = fact.found.partition(" makes the pictures")
    assert chosen in available()
    for name in available():  # an OpenGL whose libraries are here may still find no driver
        assert re.search(rf"\b{name} \d+/s|renderer '{name}' cannot be used: ", rates), name
