"""`lerobot convert-dataset --from=...`: its flags, its answers to mistakes, and a format from another package."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lerobot.core.cli.run import run_command
from lerobot.core.config import load
from lerobot.core.errors import ConfigError, LeRobotError
from lerobot.core.registry import registry
from lerobot.dataset_tools.commands.convert_dataset import ConvertDatasetConfig
from lerobot.dataset_tools.formats import npz
from lerobot.dataset_tools.formats.config import DatasetFormatConfig, NpzConfig


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "a.npz"
    images = np.full((4, 32, 32, 3), 100, "u1")
    np.savez(path, action=np.zeros((4, 2)), qpos=np.ones((4, 3)), img=images, episode_ends=[1, 4])
    return path


def run(path, root, *words):
    flags = ["--from=npz", f"--from.path={path}", f"--root={root}", "--fps=10", "--task=t"]
    return run_command("convert-dataset", [*flags, *words])


def test_flags_reach_the_dataset(archive, tmp_path, kit, capsys):
    words = ["--map.qpos=observation.joints", "--map", "{img: observation.images.front}", "--robot_type=arm"]
    run(archive, tmp_path / "set", *words, "--float_type=source", "--rgb_encoder.crf=30", "--fps=12.5")
    assert capsys.readouterr().out.strip() == f"{tmp_path / 'set'}: 2 episodes, 4 frames"
    found = kit.read(tmp_path / "set")
    assert found.info["fps"] == 12.5
    assert found.info["robot_type"] == "arm"
    assert found.features["observation.joints"]["dtype"] == "float64"
    assert found.features["observation.images.front"]["info"]["video.crf"] == 30
    run(archive, tmp_path / "images", "--video=false", "--skip_episodes=[0]")
    assert kit.read(tmp_path / "images").features["observation.images.img"]["dtype"] == "image"
    assert kit.read(tmp_path / "images").lengths == [3]


def test_a_name_stands_for_a_folder_in_the_home(archive, tmp_path, kit, monkeypatch, capsys):
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "home"))
    words = ["--from=npz", f"--from.path={archive}", "--repo_id=me/set", "--fps=10", "--task=t"]
    run_command("convert-dataset", words)
    run_command("convert-dataset", words)
    assert kit.read(tmp_path / "home/me/set").lengths == [1, 3]
    assert capsys.readouterr().out.endswith("2 episodes, 4 frames; 2 of them were there\n")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--from=npy"], "--from: got 'npy', expected one of .*npz.*Did you mean 'npz'"),
        (["--from=npz"], "--from.path: expected a path.*required"),
        (["--from=npz", "--from.path=x", "--from.pth=y"], "did you mean --from.path"),
        (["--root=x", "--map={a: b}"], "expected --from as well: --map is about imports"),
        (["--from.path=x"], "--from.type: expected a dataset_format"),
        (["--from=robomimic", "--from.path=x", "--fps=0"], "--fps: got '0', expected a number > 0"),
    ],
)
def test_a_wrong_command_line(words, what):
    with pytest.raises(ConfigError, match=what):
        load(ConvertDatasetConfig, words, {})


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--from.path=/nowhere.npz"], "there is no file or folder /nowhere.npz"),
        (["--map.qops=x"], "no field 'qops'(.|\n)*Did you mean 'qpos'"),
        (["--skip_episodes=[7]"], r"no episode 7 to skip\n  expected: 0 to 1"),
        (["--task=null"], r"no instruction in words\n  expected: --task"),
        (["--fps=null"], r"how many frames a second has\n  expected: --fps"),
        (["--root=/proc/set"], "/proc/set cannot be written"),
    ],
)
def test_what_cannot_be_imported(archive, tmp_path, words, what):
    with pytest.raises(LeRobotError, match=what):
        run(archive, tmp_path / "set", *words)
    assert not (tmp_path / "set").exists()


def test_something_else_in_the_folder_is_left_alone(archive, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/mine.txt").write_text("precious")
    with pytest.raises(LeRobotError, match="already exists"):
        run(archive, tmp_path / "set")
    assert [file.name for file in (tmp_path / "set").iterdir()] == ["mine.txt"]


class TwiceConfig(DatasetFormatConfig):
    """Every episode twice."""

    target = f"{__name__}:open_twice"
    type: str = "twice"


def open_twice(config):
    class Twice:
        def __init__(self, inner):
            self.__dict__ |= inner.__dict__ | {"inner": inner}
            self.episodes = [name for name in inner.episodes for _ in range(2)]

        def frames(self, episode, names):
            yield from self.inner.frames(episode // 2, names)

    return Twice(npz.open_npz(NpzConfig(path=config.path)))


def test_a_format_of_another_package(archive, tmp_path, kit):
    with registry.temporary():
        registry.register("dataset_format", "twice", TwiceConfig)
        words = [f"--from.path={archive}", f"--root={tmp_path / 'set'}", "--fps=10", "--task=t"]
        run_command("convert-dataset", ["--from=twice", *words])
    assert kit.read(tmp_path / "set").lengths == [1, 1, 3, 3]


@pytest.mark.parametrize(
    ("library", "name", "extra"),
    [("h5py", "d4rl", "hdf5"), ("zarr", "diffusion_policy_zarr", "zarr"), ("google_crc32c", "rlds", "rlds")],
)
def test_a_library_that_is_missing_is_named_with_its_extra(tmp_path, kit, monkeypatch, library, name, extra):
    monkeypatch.setitem(sys.modules, library, None)
    (tmp_path / "features.json").write_text("{}")
    (tmp_path / "x.tfrecord").write_bytes(bytes(16))
    with pytest.raises(
        LeRobotError, match=rf"'{library}', which is not installed(.|\n)*lerobot-dataset-tools\[{extra}\]"
    ):
        kit.open_source(name, tmp_path / "x.tfrecord")


def test_choosing_a_format_imports_no_library_for_it():
    code = (
        "import sys; from lerobot.core.config import load\n"
        "from lerobot.dataset_tools.commands.convert_dataset import ConvertDatasetConfig\n"
        "for name in ('robomimic', 'aloha_hdf5', 'd4rl', 'diffusion_policy_zarr', 'npz', 'rlds'):\n"
        "    load(ConvertDatasetConfig, [f'--from={name}', '--from.path=x'], {})\n"
        "print(sorted({'h5py', 'zarr', 'google.protobuf', 'numpy', 'pyarrow', 'av'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert done.stdout.strip() == "[]"
