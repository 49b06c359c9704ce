"""An episode as a film: as many pictures as frames, each with its own camera image and time."""

import av
import numpy as np
import pytest
from PIL import Image

from lerobot.core.cli.run import run_command
from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.viewer import visualize_episode
from lerobot.datasets.lerobot_dataset import LeRobotDataset

CAPTION, HEIGHT = 24, 360


@pytest.fixture
def root(tmp_path, make_dataset):
    return make_dataset(tmp_path / "d", [5, 7, 4], video=True)


def pictures(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return float(stream.average_rate), [image.to_ndarray(format="rgb24") for image in container.decode(video=0)]


def test_every_frame_of_the_episode_is_a_picture(root, tmp_path, number_of):
    dataset = LeRobotDataset("me/d", root, delta_timestamps={"action": [0, 0.1]})
    path = visualize_episode(dataset, 1, output_path=tmp_path / "new" / "episode.mp4")
    rate, shown = pictures(path)
    assert (rate, len(shown)) == (10, 7)
    width = shown[0].shape[1]
    for frame, picture in enumerate(shown):
        image = Image.fromarray(picture[CAPTION : CAPTION + HEIGHT, : HEIGHT * 192 // 32])
        assert number_of(np.asarray(image.resize((192, 32)))) == frame + 5
        # The line of time goes from the left to the right margin over the charts.
        charts = picture[CAPTION + HEIGHT + 30 :].astype(int).sum(axis=2)
        dark = np.flatnonzero((charts < 300).mean(axis=0) > 0.9)
        assert abs(dark.mean() - (8 + frame / 6 * (width - 146))) < 2
    assert [file.name for file in path.parent.iterdir()] == ["episode.mp4"]


def test_a_dataset_without_cameras_has_its_curves(tmp_path, make_dataset):
    dataset = LeRobotDataset("me/d", make_dataset(tmp_path / "d", [5, 3]), episodes=[1])
    _, shown = pictures(visualize_episode(dataset, 1, tmp_path / "film.mp4"))
    assert len(shown) == 3
    assert shown[0].std() > 5
    with pytest.raises(DatasetError, match="no episode 0"):
        visualize_episode(dataset, 0, tmp_path / "other.mp4")


def test_by_command_and_without_a_place_to_write_to(root, tmp_path, capsys):
    words = ["--repo_id=me/d", f"--root={root}", "--episode_index=2"]
    run_command("dataset-viz", [*words, f"--film={tmp_path}/film.mp4"])
    assert capsys.readouterr().out.strip() == f"{tmp_path}/film.mp4"
    assert len(pictures(tmp_path / "film.mp4")[1]) == 4
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match=r"film\.mp4 cannot be written"):
        run_command("dataset-viz", [*words, f"--film={tmp_path}/file/film.mp4"])


def test_a_film_that_fails_leaves_the_old_one(root, tmp_path):
    path = visualize_episode(LeRobotDataset("me/d", root), 0, tmp_path / "film.mp4")
    before = path.read_bytes()
    for video in (root / "videos").rglob("*.mp4"):
        video.unlink()
    with pytest.raises(DatasetError):
        visualize_episode(LeRobotDataset("me/d", root), 0, path)
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["d", "film.mp4"]
