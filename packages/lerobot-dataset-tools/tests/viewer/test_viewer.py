"""An episode in an `.rrd` file, read back with Rerun's own reader."""

from collections import defaultdict

import numpy as np
import pytest

from lerobot.core.errors import ConfigError, DatasetError
from lerobot.dataset_tools.commands.dataset_viz import DatasetVizConfig
from lerobot.dataset_tools.viewer.command import dataset_viz

pytest.importorskip("rerun", reason="the extra lerobot-dataset-tools[viz] is not installed")

CAMERA = "observation.images.cam"


@pytest.fixture
def root(tmp_path, make_dataset):
    return make_dataset(tmp_path / "d", [5, 7, 4], video=True)


def read_back(path) -> dict[str, dict[str, list]]:
    from rerun.chunk import RrdReader

    found = defaultdict(lambda: defaultdict(list))
    for chunk in RrdReader(path).stream():
        batch = chunk.to_record_batch()
        for name in batch.schema.names:
            found[str(chunk.entity_path)][name] += batch.column(name).to_pylist()
    return found


@pytest.mark.parametrize("compress", [False, True])
def test_every_frame_of_the_episode_is_in_the_file(root, tmp_path, number_of, compress):
    config = DatasetVizConfig(
        repo_id="me/d",
        root=root,
        episode_index=1,
        save=True,
        output_dir=tmp_path / "out",
        batch_size=3,
        display_compressed_images=compress,
    )
    dataset_viz(config)
    found = read_back(tmp_path / "out" / "me_d_episode_1.rrd")
    state = found["/observation.state/b"]
    order = np.argsort(state["frame_index"])
    assert np.array(state["frame_index"])[order].tolist() == list(range(7))
    assert np.ravel(state["Scalars:scalars"])[order].tolist() == [-float(i) for i in range(5, 12)]
    assert np.ravel(found["/action/0"]["Scalars:scalars"])[order].tolist() == [float(i) for i in range(5, 12)]
    assert {text for (text,) in found["/task"]["TextDocument:text"]} == {"task 1"}
    images = found[f"/{CAMERA}"]
    assert sorted(images["frame_index"]) == list(range(7))
    if not compress:
        buffers = [np.array(buffer, np.uint8).reshape(32, 192, 3) for (buffer,) in images["Image:buffer"]]
        shown = dict(zip(images["frame_index"], map(number_of, buffers), strict=True))
        assert shown == {frame: frame + 5 for frame in range(7)}


def test_a_served_episode_ends_with_an_interruption(root, monkeypatch):
    import rerun

    opened = []
    monkeypatch.setattr(rerun, "serve_web_viewer", lambda **settings: opened.append(settings))
    monkeypatch.setattr(rerun.RecordingStream, "serve_grpc", lambda self, **settings: f"port {settings['grpc_port']}")

    def interrupt(seconds):
        raise KeyboardInterrupt

    config = DatasetVizConfig(repo_id="me/d", root=root, episode_index=0, mode="distant", grpc_port=1234)
    dataset_viz(config, wait=interrupt)
    assert opened == [{"web_port": 9090, "open_browser": False, "connect_to": "port 1234"}]


def test_what_is_missing_is_named(root, tmp_path):
    with pytest.raises(ConfigError, match="--output_dir"):
        dataset_viz(DatasetVizConfig(repo_id="me/d", root=root, episode_index=0, save=True))
    with pytest.raises(DatasetError, match="no episode 9"):
        dataset_viz(DatasetVizConfig(repo_id="me/d", root=root, episode_index=9, save=True, output_dir=tmp_path))
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="cannot be written"):
        dataset_viz(
            DatasetVizConfig(repo_id="me/d", root=root, episode_index=0, save=True, output_dir=tmp_path / "file/out")
        )
