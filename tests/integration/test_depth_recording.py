"""Depth of a real camera through `lerobot record` and back: every distance as it was measured."""

from pathlib import Path

import numpy as np
import pyrealsense2
import pytest

from lerobot.core.cli.app import main
from lerobot.datasets import LeRobotDataset

BAG = Path(__file__).parents[3] / "shared" / "data" / "realsense" / "test_rs.bag"


def frames(stream: object, form: object, count: int) -> list[np.ndarray]:
    """The frames of the recording, read by Intel's library alone, each once."""
    settings, pipeline = pyrealsense2.config(), pyrealsense2.pipeline()
    pyrealsense2.config.enable_device_from_file(settings, str(BAG), repeat_playback=False)
    settings.enable_stream(stream, 640, 480, form, 30)
    profile = pipeline.start(settings)
    profile.get_device().as_playback().set_real_time(False)
    found = []
    for _ in range(count):
        came, together = pipeline.try_wait_for_frames(timeout_ms=10_000)
        assert came
        found.append(np.asanyarray(together.first(stream).get_data()).copy())
    pipeline.stop()
    return found


@pytest.mark.parametrize("video", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_depth_comes_back_exactly(tmp_path: Path, video: bool) -> None:
    """Beside it colour, as video or exact too; the whole dataset is verified."""
    if not BAG.is_file():
        pytest.skip(f"{BAG} is missing: the recording is not part of the repository")
    root = tmp_path / "seen"
    place = f"type: intelrealsense, recording: {BAG}, width: 640, height: 480, fps: 30, warmup_s: 0"
    command = [
        "lerobot", "record", "--robot.type=fake", "--teleop.type=fake", "--dataset.repo_id=me/seen",
        f"--robot.cameras={{front: {{{place}}}, far: {{{place}, use_rgb: false, use_depth: true}}}}",
        f"--dataset.root={root}", "--dataset.no_stamp=true", "--dataset.num_episodes=1", "--dataset.fps=10",
        "--dataset.episode_time_s=1", "--dataset.reset_time_s=0", "--dataset.single_task=Look",
        f"--dataset.video={video}", "--dataset.depth_video=false",
    ]  # fmt: skip
    assert main(command) == 0
    dataset = LeRobotDataset("me/seen", root=root)
    features = dataset.meta.features
    assert features["observation.images.far_depth"]["dtype"] == "image"
    assert features["observation.images.front"]["dtype"] == ("video" if video else "image")
    depths = frames(pyrealsense2.stream.depth, pyrealsense2.format.z16, 6)
    colors = frames(pyrealsense2.stream.color, pyrealsense2.format.rgb8, 5)
    seen = set()
    for row in range(len(dataset)):
        item = dataset[row]
        depth = item["observation.images.far_depth"].numpy()[0]
        seen.update(number for number, raw in enumerate(depths) if np.array_equal(depth, raw))
        assert any(np.array_equal(depth, raw) for raw in depths)
        if not video:
            color = np.rint(item["observation.images.front"].numpy() * 255).astype(np.uint8).transpose(1, 2, 0)
            assert any(np.array_equal(color, raw) for raw in colors)
    assert len(seen) > 2
    assert main(["lerobot", "verify-dataset", "--repo_id=me/seen", f"--root={root}"]) == 0
    assert main([*command, "--resume=true"]) == 0
    assert len(LeRobotDataset("me/seen", root=root)) == 2 * len(dataset)
