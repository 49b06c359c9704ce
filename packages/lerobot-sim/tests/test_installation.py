from lerobot.core.installation import Fact
from lerobot.sim.installation import examine_installation
from lerobot.sim.rendering import available


def test_the_doctor_is_told_how_pictures_are_made_and_how_fast() -> None:
    facts: list[Fact] = []
    examine_installation(facts.append)
    (fact,) = facts
    chosen, _, rates = fact.found.partition(" makes the pictures")
    assert chosen in available()
    assert all(f"{name} " in rates for name in available())
