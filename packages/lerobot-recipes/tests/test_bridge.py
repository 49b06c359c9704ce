"""BridgeData V2 in its three layouts."""

import io
import pickle

import numpy as np
import PIL.Image
import pytest

from lerobot.core.cli.run import run_command
from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.conversion.choices import ImportChoices
from lerobot.dataset_tools.conversion.shards import import_plan
from lerobot.recipes.config import BridgeConfig

NAMES = ["x", "y", "z", "roll", "pitch", "yaw", "gripper"]


def rlds_1_0_0(kit, rng, length):
    first_is_zero = np.vstack([np.zeros((1, 7)), rng.normal(size=(length - 1, 7))]).astype("f4")
    values = {f"observation/image_{camera}": kit.images(rng, length) for camera in range(2)}
    values["observation/state"] = rng.normal(size=(length, 7)).astype("f4")
    values |= {"action": first_is_zero, "language_instruction": [b"fold the towel"] * length}
    has = {f"episode_metadata/has_image_{camera}": np.array([camera == 0]) for camera in range(2)}
    return {**kit.steps(values, length), **has}


def joined(episodes, key, first=1):
    return np.concatenate([episode[f"steps/{key}"][first:] for episode in episodes])


def test_rlds_1_0_0(kit, write_rlds, convert, rlds, tmp_path):
    rng = np.random.default_rng(0)
    episodes = [rlds_1_0_0(kit, rng, length) for length in (5, 4)]
    # TFDS describes them as single values of the episode.
    described = [{**values} for values in episodes]
    for values in described:
        for camera in range(2):
            values[f"episode_metadata/has_image_{camera}"] = values[f"episode_metadata/has_image_{camera}"].reshape(())
    write_rlds(tmp_path / "1.0.0", "bridge_dataset", described, shards=2)
    found = convert("bridge", tmp_path / "1.0.0")
    assert found.info["fps"] == 5
    assert found.lengths == [4, 3]
    np.testing.assert_array_equal(found.columns["observation.state"], joined(episodes, "observation/state"))
    np.testing.assert_array_equal(found.columns["action"], joined(episodes, "action"))
    for camera in range(2):
        image = joined(episodes, f"observation/image_{camera}")
        np.testing.assert_array_equal(found.columns[f"observation.images.image_{camera}"], image)
    assert found.columns["has_image.0"].all()
    assert not found.columns["has_image.1"].any()
    assert found.features["action"]["names"] == NAMES
    assert found.tasks == ["fold the towel"] * 7
    published = kit.columns("bridge", tmp_path / "1.0.0", as_published=True)
    state = joined(episodes, "observation/state", 0)
    padded = np.insert(state, 6, 0, axis=1)
    np.testing.assert_array_equal(published["observation.state"], padded)
    np.testing.assert_array_equal(published["action"], joined(episodes, "action", 0))
    assert not published["action"][[0, 5]].any()


def test_rlds_0_1_0(kit, write_rlds, convert, tmp_path):
    rng = np.random.default_rng(0)
    episodes = []
    for length in (4, 3):
        values = {
            "observation/image": kit.images(rng, length),
            "observation/state": rng.normal(size=(length, 7)).astype("f4"),
        }
        values["observation/natural_language_instruction"] = [b""] * length
        values |= {
            f"action/{name}": rng.normal(size=(length, 3)).astype("f4") for name in ("world_vector", "rotation_delta")
        }
        values |= {
            "action/open_gripper": rng.integers(0, 2, length).astype(bool),
            "action/terminate_episode": np.zeros(length, "f4"),
        }
        episodes.append(kit.steps(values, length))
    write_rlds(tmp_path / "0.1.0", "bridge", episodes)
    found = convert("bridge", tmp_path / "0.1.0", empty_instruction="do it")
    parts = [joined(episodes, f"action/{name}") for name in ("world_vector", "rotation_delta", "open_gripper")]
    np.testing.assert_array_equal(found.columns["action"], np.column_stack(parts).astype("f4"))
    np.testing.assert_array_equal(found.columns["observation.images.image"], joined(episodes, "observation/image"))
    assert found.tasks == ["do it"] * 5


def jpeg(image):
    buffer = io.BytesIO()
    PIL.Image.fromarray(image).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def write_raw(root, folder, length, rng, *, protocol, lang="", maps=False, cameras=(0,)):
    """One trajectory of `length` actions as its collection writes it; shade 10 i of image i."""
    place = root / folder
    states, actions = rng.normal(size=(length + 1, 7)), rng.normal(size=(length, 7))
    for camera in cameras:
        (place / f"images{camera}").mkdir(parents=True)
        for number in range(length + 1):
            shade = np.full((16, 24, 3), 10 * number + 100 * camera, "u1")
            (place / f"images{camera}/im_{number}.jpg").write_bytes(jpeg(shade))
    observations = {"full_state": states, "time_stamp": [np.float64(number) for number in range(length + 1)]}
    (place / "obs_dict.pkl").write_bytes(pickle.dumps(observations, protocol))
    policy = [{"actions": action, "policy_type": "VR"} for action in actions] if maps else list(actions)
    (place / "policy_out.pkl").write_bytes(pickle.dumps(policy, protocol))
    if lang:
        (place / "lang.txt").write_text(lang)
    return states.astype("f4"), actions.astype("f4")


AFTER = "rss/toykitchen2/set_table/00/2022-01-01_00-00-00/raw/traj_group0"
BEFORE = "berkeley/laundry/fold/01/2021-07-22_23-59-59/raw/traj_group0"


def raw(root):
    rng = np.random.default_rng(0)
    late = write_raw(root, f"{BEFORE}/traj0", 4, rng, protocol=2)
    told = write_raw(root, f"{AFTER}/traj2", 3, rng, protocol=4, lang="fold it\nconfidence: 1\n", cameras=(0, 1))
    maps = write_raw(root, f"{AFTER}/traj10", 2, rng, protocol=5, maps=True)
    return [late, told, maps]


def shades(images):
    return np.round(images[:, 8, 8, 0] / 10).astype(int).tolist()


def test_raw_folders(convert, tmp_path):
    (late, late_actions), (told, told_actions), (maps, maps_actions) = raw(tmp_path / "raw")
    found = convert("bridge", tmp_path / "raw", cameras=[0, 1])
    # Before 2021-07-23 the first observation and the last action go; traj10 comes behind traj2.
    assert found.lengths == [3, 3, 2]
    states = np.concatenate([late[1:4], told[:3], maps[:2]])
    np.testing.assert_array_equal(found.columns["observation.state"], states)
    actions = np.concatenate([late_actions[:3], told_actions, maps_actions])
    np.testing.assert_array_equal(found.columns["action"], actions)
    assert shades(found.columns["observation.images.image_0"]) == [1, 2, 3, 0, 1, 2, 0, 1]
    assert shades(found.columns["observation.images.image_1"]) == [0, 0, 0, 10, 11, 12, 0, 0]
    assert found.columns["has_image.1"].ravel().tolist() == [False] * 3 + [True] * 3 + [False] * 2
    assert found.tasks == [""] * 3 + ["fold it"] * 3 + [""] * 2
    below = convert("bridge", tmp_path / "raw/rss/toykitchen2")
    assert below.lengths == [3, 2]


def test_raw_folders_in_shards(convert, reader, tmp_path):
    """A worker is told its trajectories: it need not look for them among all of them."""
    raw(tmp_path / "raw")
    plan = import_plan(BridgeConfig(path=str(tmp_path / "raw")), ImportChoices(), 0.001)
    rows = [(shard.row["files"], shard.row["episodes"]) for shard in plan.shards]
    assert rows == [([f"{BEFORE}/traj0"], None), ([f"{AFTER}/traj2"], None), ([f"{AFTER}/traj10"], None)]
    shards = ["--executor.type=local", "--executor.workers=1", "--shard_size_in_mb=0.001", "--video=false"]
    run_command(
        "convert-dataset", ["--from=bridge", f"--from.path={tmp_path / 'raw'}", f"--root={tmp_path / 'a'}", *shards]
    )
    whole, found = convert("bridge", tmp_path / "raw"), reader.read(tmp_path / "a")
    assert found.lengths == whole.lengths
    assert found.tasks == whole.tasks
    for key, values in whole.columns.items():
        np.testing.assert_array_equal(found.columns[key], values)


def test_raw_folders_with_the_latency_of_cameras(convert, tmp_path):
    (late, late_actions), *_ = raw(tmp_path / "raw")
    found = convert("bridge", tmp_path / "raw", as_published=["latency"])
    assert found.lengths == [4, 3, 2]
    np.testing.assert_array_equal(found.columns["observation.state"][:4], late[:4])
    np.testing.assert_array_equal(found.columns["action"][:4], late_actions)
    assert shades(found.columns["observation.images.image_0"])[:4] == [0, 1, 2, 3]


class Evil:
    def __reduce__(self):
        return print, ("run",)


def short(folder):
    (folder / "policy_out.pkl").write_bytes(pickle.dumps([np.zeros(7)]))


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda folder: (folder / "policy_out.pkl").write_bytes(pickle.dumps([Evil()])), r"it names builtins\.print"),
        (lambda folder: (folder / "obs_dict.pkl").write_bytes(b"\x80\x04"), "holds something else than arrays"),
        (lambda folder: (folder / "obs_dict.pkl").unlink(), r"obs_dict\.pkl cannot be read: No such file"),
        (short, r"its states are \(4, 7\), its actions \(1, 7\)"),
        (lambda folder: (folder / "images0/im_1.jpg").unlink(), r"im_1\.jpg cannot be read"),
    ],
)
def test_damage_is_one_line_and_nothing_is_run(convert, tmp_path, capsys, damage, what):
    raw(tmp_path / "raw")
    damage(tmp_path / "raw" / f"{AFTER}/traj2")
    with pytest.raises(DatasetError, match=what) as caught:
        convert("bridge", tmp_path / "raw")
    assert "--skip_episodes=[1]" in str(caught.value)
    assert capsys.readouterr().out == ""


def test_what_is_no_bridge(kit, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"(?s)holds no trajectory of BridgeData V2.*features\.json of its RLDS"):
        kit.opened("bridge", tmp_path / "empty")
    with pytest.raises(DatasetError, match="/nowhere cannot be read"):
        kit.opened("bridge", "/nowhere")
    write_raw(tmp_path / "undated", "raw/traj_group0/traj0", 2, np.random.default_rng(0), protocol=4)
    with pytest.raises(DatasetError, match="lies in no folder named by its date"):
        list(kit.opened("bridge", tmp_path / "undated").frames(0, ["action"]))


def test_the_card_tells_of_the_layout_that_was_imported(tmp_path):
    raw(tmp_path / "raw")
    words = ["--from=bridge", f"--from.path={tmp_path / 'raw'}", f"--root={tmp_path / 'set'}", "--video=false"]
    run_command("convert-dataset", words)
    card = (tmp_path / "set/README.md").read_text()
    assert "- source: BridgeData V2, raw folders; version raw" in card
    assert "license: cc-by-4.0" in card
    assert "5 Hz" in card
    assert "RLDS" not in card
