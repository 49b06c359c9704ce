"""The public model of arm, table and cube: files of the distribution gym-xarm, which is not imported."""

import hashlib
import importlib.metadata
from pathlib import Path

from lerobot.core.errors import LeRobotError

DISTRIBUTION, VERSION = "gym-xarm", "0.1.1"

INSTALL = f"Install it without what it asks for: uv pip install --no-deps {DISTRIBUTION}=={VERSION}"

FOLDER = "gym_xarm/tasks/assets"
"""Where they are in the distribution."""

SHA256 = {
    "lift.xml": "163d9e263119d58b3a1bec7ae1250ea71497d5fea3eb70b442d5cb808e524eb5",
    "shared.xml": "ba0ac20d760797e20e48545ba6d42c306964a6065bc9f629fe362c4b1f5faf67",
    "xarm.xml": "62d66ca5bed0ed0f9f9d74babff6a65bab3b8ae0975c2d0fe304a0ca16e4a161",
    "mesh/link_base.stl": "f6fcbc18258090eb56c21cfb17baa5ae43abc98b1958cd366f3a73b9898fc7f0",
    "mesh/link1.stl": "34b541122df84d2ef5fcb91b715eb19659dc15ad8d44a191dde481f780265636",
    "mesh/link2.stl": "61e641cd47c169ecef779683332e00e4914db729bf02dfb61bfbe69351827455",
    "mesh/link3.stl": "9e2798e7946dd70046c95455d5ba96392d0b54a6069caba91dc4ca66e1379b42",
    "mesh/link4.stl": "c757fee95f873191a0633c355c07a360032960771cabbd7593a6cdb0f1ffb089",
    "mesh/link5.stl": "715ad5787c5dab57589937fd47289882707b5e1eb997e340d567785b02f4ec90",
    "mesh/link6.stl": "85b320aa420497827223d16d492bba8de091173374e361396fc7a5dad7bdb0cb",
    "mesh/link7.stl": "97115d848fbf802cb770cd9be639ae2af993103b9d9bbb0c50c943c738a36f18",
    "mesh/base_link.stl": "21fb81ae7fba19e3c6b2d2ca60c8051712ba273357287eb5a397d92d61c7a736",
    "mesh/left_outer_knuckle.stl": "501665812b08d67e764390db781e839adc6896a9540301d60adf606f57648921",
    "mesh/left_finger.stl": "a44756eb72f9c214cb37e61dc209cd7073fdff3e4271a7423476ef6fd090d2d4",
    "mesh/left_inner_knuckle.stl": "e8e48692ad26837bb3d6a97582c89784d09948fc09bfe4e5a59017859ff04dac",
    "mesh/right_outer_knuckle.stl": "75ca1107d0a42a0f03802a9a49cab48419b31851ee8935f8f1ca06be1c1c91e8",
    "mesh/right_finger.stl": "c5dee87c7f37baf554b8456ebfe0b3e8ed0b22b8938bd1add6505c2ad6d32c7d",
    "mesh/right_inner_knuckle.stl": "b41dd2c2c550281bf78d7cc6fa117b14786700e5c453560a0cb5fd6dfa0ffb3e",
}
"""What they are, as published on PyPI."""


def scene_file() -> Path:
    """Find the file of the scene, and make sure that it and what it includes are the public ones.

    Raises:
        LeRobotError: the distribution is not installed, or a file is missing or another one; says which.
    """
    try:
        distribution = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError as error:
        raise LeRobotError(f"the xArm's model ({DISTRIBUTION}) is not installed", hint=INSTALL) from error
    folder = Path(str(distribution.locate_file(FOLDER)))
    check_files(folder)
    return folder / "lift.xml"


def check_files(folder: Path) -> None:
    """Compare every file with what was published.

    Raises:
        LeRobotError: a file is missing or another one.
    """
    for name, digest in SHA256.items():
        file = folder / name
        if not file.is_file():
            raise LeRobotError(f"the xArm's model lacks {file}", hint=INSTALL)
        found = hashlib.sha256(file.read_bytes()).hexdigest()
        if found != digest:
            raise LeRobotError(
                f"{file} is not the published one",
                expected=f"{DISTRIBUTION} {VERSION}, SHA-256 {digest}, got {found}",
                hint=INSTALL,
            )
