"""`lerobot check`: every kind of misfit is found and named, quickly, datasets and machines without torch."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from lerobot.core.config import load
from lerobot.core.config.base import EnvConfig
from lerobot.core.errors import CheckpointError, DatasetError, LeRobotError
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.registry import registry
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.checkpoint.header import tensor_names
from lerobot.policies.commands.check import CheckConfig, DatasetSource
from lerobot.policies.preflight.command import check as run
from lerobot.policies.preflight.comparison import check_same
from lerobot.policies.preflight.sources import describe_dataset, describe_env, describe_robot
from lerobot.policies.processing.pipelines import make_processors

DATA = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture
def saved(tmp_path: Path, config: Any, stats: Any) -> Path:
    folder = tmp_path / "saved"
    PolicyWithProcessors(config.build(), make_processors(config, stats)).save_pretrained(folder)
    return folder


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Metadata of a dataset that fits the tiny policy."""
    meta = tmp_path / "dataset" / "meta"
    meta.mkdir(parents=True)
    features = {
        "observation.state": {"dtype": "float32", "shape": [3], "names": ["a", "b", "c"]},
        "observation.images.top": {"dtype": "video", "shape": [4, 5, 3], "names": ["height", "width", "channels"]},
        "action": {"dtype": "float32", "shape": [2], "names": ["a", "b"]},
    }
    stats = {key: {name: [0.0] for name in ("min", "max", "mean", "std")} for key in features}
    (meta / "info.json").write_text(json.dumps({"features": features, "fps": 30}))
    (meta / "stats.json").write_text(json.dumps(stats))
    return tmp_path / "dataset"


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(load(CheckConfig, arguments).config)
    return code, capsys.readouterr().out


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_saved_policy_fits_its_dataset(saved: Path, dataset: Path, capsys: Any) -> None:
    code, text = check(capsys, f"--policy.path={saved}", "--dataset.repo_id=me/x", f"--dataset.root={dataset}")
    assert code == 0
    first, memory, statistics, second = text.splitlines()
    assert (first, second) == (f"files of policy {saved}: fits", "policy tiny and dataset me/x: fits")
    # A matrix under two names is counted under both, as it is in the file's list.
    assert re.fullmatch(r"  14 weights, float32: 0\.00 MB of memory(; .* are free on cpu)?", memory)
    assert statistics == (
        "  statistics used: observation.state (mean, std), observation.images.top (mean, std), action (min, max)"
    )


def test_weights_that_do_not_fit_into_memory_are_a_problem(
    saved: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lerobot.policies.preflight.memory._free", lambda _: 8)
    code, text = check(capsys, f"--policy.path={saved}")
    assert code == 1
    assert "too little memory: 14 weights, float32" in text
    code, text = check(capsys, f"--policy.path={saved}", "--policy.dtype=bfloat16")
    assert "14 weights, bfloat16" in text


def test_a_renamed_camera_is_named_unless_it_is_renamed_back(saved: Path, dataset: Path, capsys: Any) -> None:
    info = json.loads((dataset / "meta" / "info.json").read_text())
    info["features"]["observation.images.front"] = info["features"].pop("observation.images.top")
    edit(dataset / "meta" / "info.json", **info)
    arguments = (f"--policy.path={saved}", "--dataset.repo_id=me/x", f"--dataset.root={dataset}")
    code, text = check(capsys, *arguments)
    assert code == 1
    assert "observation.images.top is missing" in text
    code, text = check(capsys, *arguments, "--rename_map={observation.images.front: observation.images.top}")
    assert code == 0


def test_cameras_that_are_not_looked_at_are_named(saved: Path, dataset: Path, capsys: Any) -> None:
    info = json.loads((dataset / "meta" / "info.json").read_text())
    info["features"]["observation.images.wrist"] = info["features"]["observation.images.top"]
    edit(dataset / "meta" / "info.json", **info)
    code, text = check(capsys, f"--policy.path={saved}", "--dataset.repo_id=me/x", f"--dataset.root={dataset}")
    assert code == 0
    assert text.splitlines()[3:] == [
        "policy tiny and dataset me/x: fits",
        "  cameras used: observation.images.top; not used: observation.images.wrist",
    ]


@pytest.mark.parametrize("kept", [0, 5, 50, -1])
def test_weights_that_were_cut_off_are_found_without_reading_them(saved: Path, kept: int, capsys: Any) -> None:
    content = (saved / "model.safetensors").read_bytes()
    (saved / "model.safetensors").write_bytes(content[:kept])
    code, text = check(capsys, f"--policy.path={saved}")
    assert code == 1
    assert "model.safetensors" in text


def test_weights_of_another_network_do_not_fit(saved: Path, dataset: Path, capsys: Any) -> None:
    config = json.loads((saved / "config.json").read_text())
    config["input_features"]["observation.state"]["shape"] = [7]
    edit(saved / "config.json", **config)
    code, text = check(capsys, f"--policy.path={saved}")
    assert code == 1
    assert "layer.weight (2, 3) float32 instead of (2, 7) float32" in text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"layer.bias": None}, "lacks layer.bias"),
        ({"layer.extra": np.zeros(2, np.float32)}, "holds weights the policy does not have: layer.extra"),
        ({"layer.bias": np.zeros(2, np.int64)}, "layer.bias (2,) int64 instead of (2,) float32"),
    ],
)
def test_weights_are_compared_by_the_header_alone(saved: Path, changes: dict[str, Any], told: str, capsys: Any) -> None:
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    path = saved / "model.safetensors"
    with safe_open(str(path), "np") as file:
        metadata = file.metadata()
    weights = {name: each for name, each in {**load_file(path), **changes}.items() if each is not None}
    save_file(weights, path, metadata)
    code, text = check(capsys, f"--policy.path={saved}")
    assert code == 1
    assert told in text


def test_headers_are_read_like_the_library_reads_them(saved: Path) -> None:
    from safetensors.torch import load_file

    for path in saved.glob("*.safetensors"):
        assert set(tensor_names(path)) == set(load_file(path))
    with pytest.raises(CheckpointError, match=r"nothing\.safetensors cannot be read"):
        tensor_names(saved / "nothing.safetensors")


def test_a_missing_statistic_of_a_saved_policy_is_named(saved: Path, capsys: Any) -> None:
    from safetensors.torch import load_file, save_file

    path = saved / "policy_postprocessor_step_0_unnormalizer_processor.safetensors"
    save_file({name: each for name, each in load_file(path).items() if name != "action.max"}, path)
    code, text = check(capsys, f"--policy.path={saved}")
    assert code == 1
    assert "unnormalizer_processor has no statistics action.max" in text


def test_a_missing_statistic_of_a_dataset_matters_to_a_new_policy(dataset: Path, capsys: Any) -> None:
    stats = json.loads((dataset / "meta" / "stats.json").read_text())
    del stats["action"]["max"]
    (dataset / "meta" / "stats.json").write_text(json.dumps(stats))
    code, text = check(capsys, "--policy.type=tiny", "--dataset.repo_id=me/x", f"--dataset.root={dataset}")
    assert code == 1
    assert "dataset me/x has no statistics action.max" in text


def test_a_robot_is_compared_with_what_was_recorded(dataset: Path) -> None:
    robot = describe_robot(FakeRobotConfig())
    found = check_same(describe_dataset(DatasetSource(repo_id="me/x", root=dataset)), robot)
    assert any(problem.startswith("action has the shape [2]") for problem in found)
    assert any(problem.startswith("observation.state has the shape [3]") for problem in found)


def recorded_on(robot: Any, tmp_path: Path, low: float, high: float) -> Any:
    meta = tmp_path / "own" / "meta"
    meta.mkdir(parents=True)
    size = len(robot.features["action"]["names"])
    stats = {key: {"min": [low] * size, "max": [high] * size} for key in ("action", "observation.state")}
    (meta / "info.json").write_text(json.dumps({"features": robot.features, "fps": 30}))
    (meta / "stats.json").write_text(json.dumps(stats))
    return describe_dataset(DatasetSource(repo_id="me/own", root=meta.parent))


def test_a_robot_fits_its_own_recording(tmp_path: Path) -> None:
    robot = describe_robot(FakeRobotConfig())
    assert check_same(recorded_on(robot, tmp_path, -1.0, 1.0), robot) == []


def test_values_a_robot_cannot_take_point_at_another_unit(tmp_path: Path) -> None:
    robot = describe_robot(FakeRobotConfig())
    bounded = [name for name, spec in robot.specs.items() if spec.range is not None]
    assert bounded
    problems = check_same(recorded_on(robot, tmp_path, -5000.0, 1.0), robot)
    assert problems
    assert "was recorded from -5000 to 1" in problems[0]
    assert problems[0].endswith("another unit or calibration?")


# --- environments ----------------------------------------------------------------------------------------------------


class Space:
    """As much of a Gymnasium space as is looked at."""

    def __init__(self, shape: tuple[int, ...], dtype: str, low: float = -1.0, high: float = 1.0) -> None:
        self.shape, self.dtype = shape, dtype
        self.low, self.high = np.full(shape, low), np.full(shape, high)


class StageEnv:
    """Shows and takes what the tiny policy does."""

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 30}
    closed = 0

    def __init__(self) -> None:
        self.observation_space = {
            "agent_pos": Space((3,), "float32", -10, 10),
            "pixels": {"top": Space((4, 5, 3), "uint8", 0, 255)},
        }
        self.action_space = Space((2,), "float32")

    def close(self) -> None:
        StageEnv.closed += 1


class StageEnvConfig(EnvConfig):
    target: ClassVar[str] = "unused"
    type: str = "stage"
    features_map: dict[str, str] = {}

    def build(self, **_: Any) -> Any:
        return StageEnv()


@pytest.fixture
def stage() -> Iterator[None]:
    with registry.temporary():
        registry.register("env", "stage", StageEnvConfig)
        yield


@pytest.mark.usefixtures("stage")
def test_policy_dataset_and_environment_fit(saved: Path, dataset: Path, capsys: Any) -> None:
    before = StageEnv.closed
    arguments = (f"--policy.path={saved}", "--dataset.repo_id=me/x", f"--dataset.root={dataset}", "--env.type=stage")
    code, text = check(capsys, *arguments)
    assert code == 0, text
    assert "policy tiny and environment stage: fits" in text
    assert "dataset me/x and environment stage: fits" in text
    assert StageEnv.closed == before + 1


@pytest.mark.usefixtures("stage")
def test_an_image_of_another_name_in_an_environment_is_named(saved: Path, capsys: Any) -> None:
    code, text = check(
        capsys, f"--policy.path={saved}", "--env.type=stage", "--env.features_map={pixels/top: observation.images.up}"
    )
    assert code == 1
    assert "environment stage does not provide what the policy needs: observation.images.top is missing" in text


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"fps": 10}, "dataset me/x has 10 frames per second, environment stage 30"),
        (
            {"stats": ([-5.0, 0.0], [0.0, 0.0])},
            "action a was recorded from -5 to 0; environment stage allows -1 to 1: another unit or calibration?",
        ),
        ({"shape": [3]}, "action has the shape [3] in dataset me/x, [2] now"),
    ],
)
def test_a_dataset_that_is_not_of_the_environment_is_said(
    dataset: Path, capsys: Any, change: dict[str, Any], problem: str
) -> None:
    info = json.loads((dataset / "meta" / "info.json").read_text())
    stats = json.loads((dataset / "meta" / "stats.json").read_text())
    info["fps"] = change.get("fps", 30)
    info["features"]["action"]["shape"] = change.get("shape", [2])
    stats["action"]["min"], stats["action"]["max"] = change.get("stats", ([0.0, 0.0], [0.0, 0.0]))
    edit(dataset / "meta" / "info.json", **info)
    edit(dataset / "meta" / "stats.json", **stats)
    code, text = check(capsys, "--dataset.repo_id=me/x", f"--dataset.root={dataset}", "--env.type=stage")
    assert code == 1
    assert f"dataset me/x and environment stage: 1 problem\n  {problem}\n" in text


def test_an_environment_of_gymnasium_is_described_like_the_robot_it_simulates() -> None:
    """Real spaces: the simulated arm as environment and as robot agree in every name, shape and range."""
    from lerobot.sim.config import SimCameraConfig, SimEnvConfig, SimSO101Config

    env = describe_env(SimEnvConfig(cameras=("front",), width=64, height=48))
    camera = SimCameraConfig(width=64, height=48)
    robot = describe_robot(SimSO101Config(cameras={"front": camera}))
    assert set(env.features) == set(robot.features)
    assert check_same(env, robot) == []
    assert env.fps == 30
    for index, name in enumerate(robot.features["action"]["names"]):
        assert env.specs[f"action[{index}]"].range == pytest.approx(robot.specs[name].range, abs=1e-4)


def test_joints_in_another_order_are_named(tmp_path: Path) -> None:
    robot = describe_robot(FakeRobotConfig())
    dataset = recorded_on(robot, tmp_path, -1.0, 1.0)
    names = dataset.features["action"]["names"]
    dataset.features["action"]["names"] = list(reversed(names))
    assert check_same(dataset, robot)[0].startswith(f"action is {', '.join(reversed(names))} in dataset me/own")


def test_a_dataset_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no dataset in"):
        describe_dataset(DatasetSource(repo_id="me/x", root=tmp_path))
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "info.json").write_text("{")
    with pytest.raises(DatasetError, match="cannot be read"):
        describe_dataset(DatasetSource(repo_id="me/x", root=tmp_path))


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(LeRobotError, match="nothing to compare"):
        run(CheckConfig())


@pytest.mark.parametrize("name", ["cr5_v30_5ep_official", "cr5_v21_5ep"])
def test_real_datasets_of_both_versions_are_understood_without_torch(name: str) -> None:
    if not DATA.exists():
        pytest.skip(f"{DATA} is not here")
    script = (
        "import sys\n"
        "from lerobot.policies.commands.check import DatasetSource\n"
        "from lerobot.policies.preflight.sources import describe_dataset\n"
        "from lerobot.policies.preflight.comparison import check_policy\n"
        "from lerobot.policies.config import PreTrainedConfig\n"
        "from pathlib import Path\n"
        f"dataset = describe_dataset(DatasetSource(repo_id='cr5', root=Path({str(DATA / name)!r})))\n"
        "assert {'mean', 'std', 'min', 'max'} <= set(dataset.stats['action'])\n"
        "assert check_policy(PreTrainedConfig.model_construct(type='any'), dataset, {}) == []\n"
        "heavy = {'torch', 'numpy', 'pyarrow', 'cv2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
