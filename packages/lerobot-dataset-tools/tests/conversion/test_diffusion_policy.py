"""Replay buffers written by zarr in version 2 of its format, as diffusion_policy's are, and in version 3."""

import json
import shutil

import numcodecs
import numpy as np
import pytest
import zarr

from lerobot.core.errors import DatasetError

ENDS = [3, 4, 9]


def arrays(rng=None):
    rng = rng or np.random.default_rng(0)
    return {
        "action": rng.normal(size=(9, 2)).astype("f4"),
        "state": rng.normal(size=(9, 5)).astype("f4"),
        "keypoint": rng.normal(size=(9, 4, 2)).astype("f4"),
        "img": rng.integers(0, 256, (9, 16, 16, 3)).astype("f4"),
    }


def write(path, version=2, ends=ENDS, **more):
    values = arrays() | more
    store = zarr.storage.ZipStore(path, mode="w") if path.suffix == ".zip" else zarr.storage.LocalStore(path)
    group = zarr.open_group(store, mode="w", zarr_format=version)
    codec = {"compressors": numcodecs.Blosc(cname="lz4", clevel=5, shuffle=2)} if version == 2 else {}
    for key, value in values.items():
        group.create_array(f"data/{key}", data=value, chunks=(2, *value.shape[1:]), **codec)
    group.create_array("meta/episode_ends", data=np.array(ends))
    store.close()
    return values


@pytest.mark.parametrize(("name", "version"), [("buffer.zarr", 2), ("buffer.zarr.zip", 2), ("buffer3.zarr", 3)])
def test_every_value_lands_where_it_belongs(tmp_path, kit, name, version):
    values = write(tmp_path / name, version)
    kit.convert("diffusion_policy_zarr", tmp_path / name, tmp_path / "set")
    found = kit.read(tmp_path / "set")
    assert found.lengths == [3, 1, 5]
    np.testing.assert_array_equal(found.columns["action"], values["action"])
    state = np.concatenate([values["keypoint"].reshape(9, 8), values["state"]], 1)
    np.testing.assert_array_equal(found.columns["observation.state"], state)
    np.testing.assert_array_equal(found.columns["observation.images.img"], values["img"])
    assert found.features["observation.images.img"]["shape"] == [16, 16, 3]


def test_the_map_renames_leaves_out_and_orders(tmp_path, kit):
    values = write(tmp_path / "b.zarr")
    overrides = {"state": "observation.state", "keypoint": "observation.keypoints", "img": None}
    kit.convert("diffusion_policy_zarr", tmp_path / "b.zarr", tmp_path / "set", overrides=overrides)
    found = kit.read(tmp_path / "set")
    np.testing.assert_array_equal(found.columns["observation.keypoints"], values["keypoint"])
    np.testing.assert_array_equal(found.columns["observation.state"], values["state"])
    assert "observation.images.img" not in found.features


@pytest.mark.parametrize("ends", [[], [3, 3, 9], [3, 12], [-1, 9]])
def test_ends_that_cannot_be(tmp_path, kit, ends):
    write(tmp_path / "b.zarr", ends=ends)
    with pytest.raises(DatasetError, match="rising ends of at most 9 rows"):
        kit.convert("diffusion_policy_zarr", tmp_path / "b.zarr", tmp_path / "set")


def unknown_codec(path):
    header = json.loads((path / "data/action/.zarray").read_text())
    header["compressor"] = {"id": "imagecodecs_jpegxl"}
    (path / "data/action/.zarray").write_text(json.dumps(header))


def pickled(path):
    header = json.loads((path / "data/action/.zarray").read_text())
    header |= {"dtype": "|O", "filters": [{"id": "pickle", "protocol": 5}], "fill_value": None}
    (path / "data/action/.zarray").write_text(json.dumps(header))


def damaged_chunk(path):
    (path / "data/action/1.0").write_bytes(b"nonsense")


def without_ends(path):
    shutil.rmtree(path / "meta/episode_ends")


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (unknown_codec, "imagecodecs_jpegxl"),
        (pickled, "cannot be read: No Zarr data type"),
        (damaged_chunk, "action from row 0 on cannot be read: error during blosc"),
        (without_ends, "cannot be read.*\n  expected: a replay buffer with data/"),
        (lambda path: (path / ".zgroup").write_text("{"), "cannot be read"),
    ],
)
def test_damage_is_one_line(tmp_path, kit, damage, what):
    write(tmp_path / "b.zarr")
    damage(tmp_path / "b.zarr")
    with pytest.raises(DatasetError, match=what):
        kit.convert("diffusion_policy_zarr", tmp_path / "b.zarr", tmp_path / "set")


def test_images_that_are_no_whole_bytes(tmp_path, kit):
    write(tmp_path / "b.zarr", img=arrays()["img"] / 255)
    with pytest.raises(DatasetError, match=r"img from row 0 on cannot be read.*other than whole numbers from 0 to 255"):
        kit.convert("diffusion_policy_zarr", tmp_path / "b.zarr", tmp_path / "set")


def test_a_truncated_zip(tmp_path, kit):
    write(tmp_path / "b.zarr.zip")
    whole = (tmp_path / "b.zarr.zip").read_bytes()
    (tmp_path / "cut.zarr.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DatasetError, match=r"cut\.zarr\.zip cannot be read"):
        kit.convert("diffusion_policy_zarr", tmp_path / "cut.zarr.zip", tmp_path / "set")


def test_flipped_bytes_are_refused_or_harmless(tmp_path, kit, caplog):
    write(tmp_path / "b.zarr.zip")
    kit.flip_and_read("diffusion_policy_zarr", tmp_path / "b.zarr.zip", tmp_path / "b.zarr.zip", 60)
    assert not caplog.records
