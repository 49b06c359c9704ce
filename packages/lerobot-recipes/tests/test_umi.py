"""UMI's replay buffers: zarr 2 in a zip file, with plain and with JPEG XL images."""

import sys

import imagecodecs.numcodecs
import numcodecs
import numpy as np
import pytest
import zarr

from lerobot.core.errors import DatasetError, LeRobotError

ENDS = [4, 5, 9]
SMOOTH = np.broadcast_to(np.arange(16, dtype="u1")[:, None, None] * 8, (16, 16, 3))


def write(path, *, arms=1, codec=None, ends=ENDS):
    rng = np.random.default_rng(0)
    values = {}
    for arm in range(arms):
        images = np.stack([SMOOTH + 10 * number for number in range(9)]).astype("u1")
        values[f"camera{arm}_rgb"] = images
        values[f"robot{arm}_eef_pos"] = rng.normal(size=(9, 3)).astype("f4")
        values[f"robot{arm}_eef_rot_axis_angle"] = rng.normal(size=(9, 3)).astype("f4")
        values[f"robot{arm}_gripper_width"] = rng.uniform(0, 0.1, (9, 1)).astype("f4")
        values[f"robot{arm}_demo_start_pose"] = np.repeat(rng.normal(size=(3, 6)), np.diff([0, *ENDS]), axis=0)
        values[f"robot{arm}_demo_end_pose"] = np.repeat(rng.normal(size=(3, 6)), np.diff([0, *ENDS]), axis=0)
    store = zarr.storage.ZipStore(path, mode="w")
    group = zarr.open_group(store, mode="w", zarr_format=2)
    for name, value in values.items():
        is_image = value.ndim == 4
        chunks = (1 if is_image else 4, *value.shape[1:])
        compressors = (codec if is_image else numcodecs.Blosc(cname="lz4")) or None
        group.create_array(
            f"data/{name}", shape=value.shape, dtype=value.dtype, chunks=chunks, compressors=compressors
        )[:] = value
    group.create_array("meta/episode_ends", data=np.array(ends))
    store.close()
    return values


def pose(values, arm):
    return np.hstack([values[f"robot{arm}_{name}"] for name in ("eef_pos", "eef_rot_axis_angle", "gripper_width")])


def following(rows):
    """Row i + 1 for row i; the last row of an episode for itself."""
    return rows[[1, 2, 3, 3, 4, 6, 7, 8, 8]]


@pytest.mark.parametrize("arms", [1, 2])
def test_every_value_lands_where_it_belongs(convert, tmp_path, arms):
    values = write(tmp_path / "dataset.zarr.zip", arms=arms)
    found = convert("umi", tmp_path / "dataset.zarr.zip", task="put the cup on the saucer")
    assert found.lengths == [4, 1, 4]
    assert found.info["fps"] == 59.94
    state = np.hstack([pose(values, arm) for arm in range(arms)])
    np.testing.assert_array_equal(found.columns["observation.state"], state)
    np.testing.assert_array_equal(found.columns["action"], following(state))
    for arm in range(arms):
        np.testing.assert_array_equal(found.columns[f"observation.images.camera{arm}"], values[f"camera{arm}_rgb"])
        start = values[f"robot{arm}_demo_start_pose"].astype("f4")
        np.testing.assert_array_equal(found.columns[f"robot{arm}_demo_start_pose"], start)
    assert found.features["action"]["names"][:7] == [
        f"robot0_{name}" for name in ("x", "y", "z", "rx", "ry", "rz", "width")
    ]


def test_as_published_there_is_no_action_and_another_rate(convert, tmp_path):
    write(tmp_path / "dataset.zarr.zip")
    found = convert("umi", tmp_path / "dataset.zarr.zip", task="t", as_published=True)
    assert "action" not in found.features
    assert found.info["fps"] == 10


@pytest.fixture
def without_codec(monkeypatch):
    """As in a process that never heard of imagecodecs."""
    kept = dict(numcodecs.registry.codec_registry)
    imagecodecs.numcodecs.register_codecs(verbose=False)
    yield imagecodecs.numcodecs.Jpegxl(level=99)
    numcodecs.registry.codec_registry.clear()
    numcodecs.registry.codec_registry.update(kept)


def test_images_in_jpeg_xl(convert, tmp_path, without_codec):
    values = write(tmp_path / "dataset.zarr.zip", codec=without_codec)
    found = convert("umi", tmp_path / "dataset.zarr.zip", task="t")
    images = found.columns["observation.images.camera0"].astype(int)
    assert np.abs(images - values["camera0_rgb"]).max() <= 8


def test_the_missing_codec_is_named(kit, tmp_path, monkeypatch, without_codec):
    write(tmp_path / "dataset.zarr.zip", codec=without_codec)
    monkeypatch.setitem(sys.modules, "imagecodecs.numcodecs", None)
    with pytest.raises(LeRobotError, match=r"(?s)JPEG XL images needs 'imagecodecs'.*lerobot-recipes\[jpegxl\]"):
        kit.opened("umi", tmp_path / "dataset.zarr.zip")


def test_what_is_no_buffer_of_umi(kit, tmp_path):
    store = zarr.storage.ZipStore(tmp_path / "pusht.zarr.zip", mode="w")
    group = zarr.open_group(store, mode="w", zarr_format=2)
    group.create_array("data/action", data=np.zeros((9, 2), "f4"))
    group.create_array("meta/episode_ends", data=np.array([9]))
    store.close()
    with pytest.raises(DatasetError, match=r"is not UMI replay buffer: it lacks camera0_rgb, robot0_eef_pos"):
        kit.opened("umi", tmp_path / "pusht.zarr.zip")
    write(tmp_path / "dataset.zarr.zip")
    whole = (tmp_path / "dataset.zarr.zip").read_bytes()
    (tmp_path / "cut.zarr.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DatasetError, match=r"cut\.zarr\.zip cannot be read"):
        kit.opened("umi", tmp_path / "cut.zarr.zip")
    with pytest.raises(DatasetError, match=r"nowhere\.zarr\.zip cannot be read: No such file"):
        kit.opened("umi", tmp_path / "nowhere.zarr.zip")
