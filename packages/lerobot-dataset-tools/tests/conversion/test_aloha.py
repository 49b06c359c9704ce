"""ALOHA episodes written by h5py; compressed images by Pillow, padded as its recorder does."""

import io

import h5py
import numpy as np
import PIL.Image
import pytest

from lerobot.core.errors import DatasetError

CAMERAS = ("cam_high", "cam_low")


def jpeg(image, file_format="JPEG"):
    buffer = io.BytesIO()
    PIL.Image.fromarray(image).save(buffer, file_format)
    return np.frombuffer(buffer.getvalue(), np.uint8)


def write(folder, number, length, compressed=None, **more):
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(number)
    values = {key: rng.normal(size=(length, 14)) for key in ("observations/qpos", "observations/qvel", "action")}
    values |= {f"observations/images/{camera}": rng.integers(0, 256, (length, 16, 24, 3), "u1") for camera in CAMERAS}
    with h5py.File(folder / f"episode_{number}.hdf5", "w") as file:
        file.attrs["sim"] = True
        for key, value in (values | more).items():
            if compressed and "images/" in key:
                encoded = [jpeg(image, compressed) for image in value]
                padded = np.zeros((length, max(map(len, encoded)) + 7), "u1")
                for row, data in zip(padded, encoded, strict=True):
                    row[: len(data)] = data
                file[key] = padded
            else:
                file[key] = value
        if compressed:
            file.attrs["compress"] = True
            file["compress_len"] = np.zeros((len(CAMERAS), length))
    return values


def test_a_folder_of_episodes_in_order_of_their_numbers(tmp_path, kit):
    values = [write(tmp_path / "in", number, length) for number, length in ((9, 3), (10, 4), (0, 2))]
    kit.convert("aloha_hdf5", tmp_path / "in", tmp_path / "set", fps=50, float_type="source")
    found = kit.read(tmp_path / "set")
    assert found.lengths == [2, 3, 4]
    targets = {
        "observations/qpos": "observation.state",
        "observations/qvel": "observation.velocity",
        "action": "action",
        **{f"observations/images/{camera}": f"observation.images.{camera}" for camera in CAMERAS},
    }
    for key, target in targets.items():
        expected = np.concatenate([values[i][key] for i in (2, 0, 1)])
        np.testing.assert_array_equal(found.columns[target], expected, err_msg=key)
    assert set(found.features) & {"compress_len", "observation.effort"} == set()


@pytest.mark.parametrize("swap", [False, True])
def test_compressed_and_padded_images(tmp_path, kit, swap):
    """PNG keeps every value, so that the channel order can be compared exactly."""
    values = write(tmp_path / "in", 0, 3, compressed="PNG")
    options = {"swap_red_and_blue": swap}
    kit.convert("aloha_hdf5", tmp_path / "in/episode_0.hdf5", tmp_path / "set", source_options=options)
    found = kit.read(tmp_path / "set").columns["observation.images.cam_low"]
    expected = values["observations/images/cam_low"]
    np.testing.assert_array_equal(found, expected[..., ::-1] if swap else expected)


def test_jpeg_is_what_another_decoder_sees(tmp_path, kit):
    import av

    gradient = np.broadcast_to(np.linspace(0, 255, 24).astype("u1")[:, None], (2, 16, 24, 3))
    write(tmp_path / "in", 0, 2, "JPEG", **{"observations/images/cam_low": gradient})
    kit.convert("aloha_hdf5", tmp_path / "in", tmp_path / "set")
    found = kit.read(tmp_path / "set").columns["observation.images.cam_low"].astype(int)
    decoder = av.CodecContext.create("mjpeg", "r")
    frame = decoder.decode(av.Packet(jpeg(gradient[0]).tobytes()))[0]
    assert np.abs(found[0] - frame.to_ndarray(format="rgb24")).max() <= 3


def test_depth_and_the_instruction_where_there_are_any(tmp_path, kit):
    depth = np.arange(2 * 16 * 24, dtype="u2").reshape(2, 16, 24)
    more = {"observations/images_depth/cam_high": depth, "language_raw": [b"fold the shirt"]}
    write(tmp_path / "in", 0, 2, **more)
    kit.convert("aloha_hdf5", tmp_path / "in", tmp_path / "set", task=None)
    found = kit.read(tmp_path / "set")
    assert found.tasks == ["fold the shirt"] * 2
    assert found.features["observation.images.cam_high_depth"]["info"]["is_depth_map"]
    np.testing.assert_array_equal(found.columns["observation.images.cam_high_depth"].reshape(2, 16, 24), depth)


def broken_image(folder):
    write(folder, 1, 2, compressed="JPEG")
    with h5py.File(folder / "episode_1.hdf5", "a") as file:
        file["observations/images/cam_low"][1] = 7


def another_size(folder):
    write(folder, 1, 2, "PNG", **{"observations/images/cam_low": np.zeros((2, 8, 8, 3), "u1")})


def no_action(folder):
    with h5py.File(folder / "episode_1.hdf5", "w") as file:
        file["observations/qpos"] = np.zeros((2, 14))


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (broken_image, "cam_low is no readable PNG or JPEG image"),
        (another_size, r"cam_low is uint8 \(8, 8, 3\)\n  expected: uint8 \(16, 24, 3\)"),
        (no_action, r"episode_1.hdf5 lacks action"),
        (lambda folder: (folder / "episode_1.hdf5").write_bytes(b"x"), "episode_1.hdf5 cannot be read"),
    ],
)
def test_a_damaged_episode_is_refused_by_name(tmp_path, kit, damage, what):
    write(tmp_path / "in", 0, 2, compressed="PNG")
    damage(tmp_path / "in")
    with pytest.raises(DatasetError, match=what) as caught:
        kit.convert("aloha_hdf5", tmp_path / "in", tmp_path / "set")
    assert "episode 1 (" in str(caught.value)
    assert kit.read(tmp_path / "set").lengths == [2]


def test_an_empty_folder_and_a_rate_nobody_named(tmp_path, kit):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"no file to import\n  expected: files such as \*.hdf5"):
        kit.convert("aloha_hdf5", tmp_path / "empty", tmp_path / "set")
    write(tmp_path / "in", 0, 2)
    with pytest.raises(DatasetError, match=r"how many frames a second has\n  expected: --fps"):
        kit.convert("aloha_hdf5", tmp_path / "in", tmp_path / "set", fps=None)
