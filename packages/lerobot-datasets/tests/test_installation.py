import av

from lerobot.core.installation import Fact
from lerobot.datasets.installation import examine_installation


def test_the_doctor_is_told_which_encoders_there_are() -> None:
    facts: list[Fact] = []
    examine_installation(facts.append)
    (fact,) = facts
    assert fact.subject == "video"
    assert av.__version__ in fact.found
    assert all((name in fact.found) == (name in av.codecs_available) for name in ("libx264", "libsvtav1"))
