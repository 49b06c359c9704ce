"""The names of huggingface/lerobot: which import, and what the others say."""

import re
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest

from lerobot.compat import table

LIST = Path(__file__).resolve().parents[3] / "shared" / "spec" / "import_names.txt"

MODULES = sorted(
    f"lerobot.{name}"
    for file in files("lerobot.compat").joinpath("names").iterdir()
    for name in table.tomllib.loads(file.read_text("utf-8"))
)
LATER = re.compile(r"not here yet|no \w+ is named")
"""What is said of something that nobody has built yet."""

OTHERS = {
    "lerobot_lancedb",  # a package of somebody else
    "lerobot.policies.your_policy",  # stands in a document for the reader's own
    "lerobot.robots.myrobot",
}


def used_names() -> list[tuple[str, str]]:
    """Module and name, as documents and examples of huggingface/lerobot 0.6.1 import them."""
    rows = [line.split() for line in LIST.read_text("utf-8").splitlines() if not line.startswith("#")]
    return [(row[0], row[1] if len(row) == 3 else "") for row in rows]


def imported(module: str, name: str) -> str:
    """What Python says to the import; empty if it works."""
    try:
        exec(f"from {module} import {name}" if name else f"import {module}", {})
    except ImportError as error:
        return str(error)
    return ""


@pytest.mark.filterwarnings("ignore:lerobot.motors:FutureWarning")
@pytest.mark.parametrize("module", MODULES)
def test_what_the_table_says_is_there(module: str) -> None:
    for name in table.names(module):
        said = imported(module, name)
        assert not said or LATER.search(said), f"from {module} import {name}: {said}"


@pytest.mark.parametrize("module", MODULES)
def test_a_reason_is_one_line_that_ends(module: str) -> None:
    entries = table.module(module) or {}
    reasons = [each["missing"] for each in (entries, *entries.values()) if isinstance(each, dict) and "missing" in each]
    assert all(re.fullmatch(r"[^\n]+\.", reason) for reason in reasons)


def test_nineteen_of_twenty_names_that_documents_use_import() -> None:
    """Of what is built here; what is not says so, in one line."""
    if not LIST.is_file():
        pytest.skip(f"{LIST} is not here")
    used = [(module, name) for module, name in used_names() if module not in OTHERS and not name.startswith("_")]
    said = {pair: imported(*pair) for pair in used}
    assert all("\n" not in text for text in said.values())
    built = [pair for pair in used if not LATER.search(said[pair])]
    there = [pair for pair in built if not said[pair]]
    assert len(there) >= 100
    assert len(there) / len(built) >= 0.95, [pair for pair in built if said[pair]]


@pytest.mark.parametrize(
    ("module", "name", "says"),
    [
        ("lerobot.datasets", "MultiLeRobotDataset", "`MixtureDataset`"),
        ("lerobot.rollout", "build_rollout_context", "`lerobot rollout`"),
        ("lerobot.datasets.compute_stats", "", "`lerobot.datasets.statistics`"),
        ("lerobot.datasets.image_writer", "AsyncImageWriter", "no writer to start"),
        ("lerobot.policies.act.modeling_act", "get_activation_fn", "`lerobot.act.modeling.ACT`"),
    ],
)
def test_a_name_without_counterpart_says_what_to_use(module: str, name: str, says: str) -> None:
    said = imported(module, name)
    assert says in said
    assert said.startswith(f"{module}.{name}" if name else module)


def test_names_that_nobody_ever_had_are_plain_import_errors() -> None:
    with pytest.raises(ImportError, match="cannot import name 'Nonsense'"):
        from lerobot.robots import Nonsense  # noqa: F401
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'lerobot\.nonsense'"):
        import_module("lerobot.nonsense")


def test_the_same_name_is_the_same_thing_by_every_path() -> None:
    from lerobot.policies.act import ACTConfig as SameConfig
    from lerobot.robots.so101_follower import SO101Follower
    from lerobot.robots.so_follower import SO100Follower

    from lerobot.policies import ACTConfig

    assert ACTConfig is SameConfig
    assert SO101Follower is SO100Follower


@pytest.mark.filterwarnings("ignore:lerobot.common:FutureWarning")
@pytest.mark.parametrize(
    "line",
    [
        "from lerobot.common.datasets.lerobot_dataset import LeRobotDataset",
        "from lerobot.common.policies.diffusion.modeling_diffusion import DiffusionPolicy",
        "from lerobot.common.envs.factory import make_env",
        "from lerobot.common.utils.utils import init_logging",
        "from lerobot.constants import HF_LEROBOT_HOME",
        "from lerobot.datasets.utils import hw_to_dataset_features",
        "from lerobot.errors import DeviceNotConnectedError",
        "from lerobot.record import record_loop",
        "from lerobot.robots.so100_follower import SO100Follower, SO100FollowerConfig",
        "from lerobot.teleoperators.so101_leader.config_so101_leader import SO101LeaderConfig",
        "from lerobot.utils.robot_utils import busy_wait",
        "from lerobot.utils.visualization_utils import _init_rerun",
    ],
)
def test_lines_of_earlier_releases_import(line: str) -> None:
    exec(line, {})


def test_paths_of_early_releases_work_with_a_notice() -> None:
    with pytest.warns(FutureWarning, match=r"lerobot\.common\.policies\.factory is now lerobot\.policies\.factory"):
        from lerobot.common.policies.factory import make_policy
    from lerobot.policies.factory import make_policy as present

    assert make_policy is present
    with pytest.raises(ImportError, match="releases before"):
        import_module("lerobot.common.robot_devices.robots.factory")
