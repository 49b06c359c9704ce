"""A log becomes a dataset and a log again: every value and every stamp, read by the libraries of MCAP's makers."""

import io

import numpy as np
import PIL.Image
import pytest
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory

from lerobot.core.cli.run import run_command
from lerobot.core.errors import LeRobotError

T0 = 1_700_000_000 * 10**9
STREAMS = {
    "joints": {"topic": "/joint_states", "clock": "header", "align": "hold", "tolerance_ms": 12},
    "commands": {"topic": "/commands", "clock": "log", "align": "hold", "tolerance_ms": 60},
    "left": {"topic": "/left/image_raw", "clock": "header", "align": "hold", "tolerance_ms": 40},
    "right": {"topic": "/right/image_raw", "clock": "header", "align": "hold", "tolerance_ms": 80},
}
CONTRACT = {
    "fps": 100,
    "grid": "joints",
    "on_gap": "refuse",
    "stamps": True,
    "episodes": {"by": "event", "topic": "/event", "start": "go {task}", "stop": "end {outcome}"},
    "streams": STREAMS,
    "features": {
        "observation.state": [{"stream": "joints", "field": "position", "names": ["a", "b", "c"]}],
        "action": [{"stream": "commands", "field": "data", "names": ["a", "b"]}],
        "observation.images.left": [{"stream": "left"}],
        "observation.images.right": [{"stream": "right"}],
    },
}


@pytest.fixture
def recording(tmp_path, kit):
    """A second of two cameras, joints at 100 Hz with a jitter, and commands; what was written, by topic."""
    rng = np.random.default_rng(3)
    written = {name: [] for name in STREAMS}
    messages = []
    for name, rate in (("joints", 100), ("commands", 20), ("left", 30), ("right", 15)):
        for i in range(rate):
            stamp = T0 + round(i * 1e9 / rate) + (int(rng.integers(0, 900_000)) if i else 0)
            value = rng.integers(0, 256, (48, 64, 3), np.uint8) if rate in (30, 15) else rng.normal(size=3)
            written[name].append((stamp, value))
            messages.append((stamp, name, value))
    with kit.LogWriter(tmp_path / "log.mcap", chunk_size=20_000) as log:
        log.text("/event", T0 + 50_000_000, "go stack the cubes")
        for stamp, name, value in sorted(messages, key=lambda each: each[0]):
            if name == "joints":
                # In another order than the contract's.
                log.joints("/joint_states", stamp, ["c", "a", "b"], value[[2, 0, 1]].tolist(), stamp + 1_500_000)
            elif name == "commands":
                array = {"layout": {"dim": [], "data_offset": 0}, "data": value[:2].tolist()}
                log.write("/commands", "std_msgs/msg/Float64MultiArray", array, stamp)
            else:
                log.image(f"/{name}/image_raw", stamp, value, "rgb8")
        log.text("/event", T0 + 950_000_000, "end success")
    return written


def decoded(path):
    """Messages by topic, in the order of their log times."""
    found = {}
    with path.open("rb") as file:
        for _, channel, message, ros in make_reader(
            file, validate_crcs=True, decoder_factories=[DecoderFactory()]
        ).iter_decoded_messages():
            found.setdefault(channel.topic, []).append((message, ros))
    return found


def stamp_of(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


@pytest.mark.parametrize("images", ["png", "raw"])
def test_values_and_stamps_are_exact(tmp_path, kit, recording, images):
    kit.convert(tmp_path / "log.mcap", CONTRACT, tmp_path / "set")
    run_command(
        "export-mcap",
        [f"--dataset.root={tmp_path / 'set'}", f"--output={tmp_path / 'again.mcap'}", f"--images={images}"],
    )
    found = decoded(tmp_path / "again.mcap")
    shown = [(stamp, value) for stamp, value in recording["joints"] if 50e6 <= stamp - T0 < 950e6]
    assert [stamp_of(ros) for _, ros in found["/observation/state"]] == [stamp for stamp, _ in shown]
    assert [message.log_time for message, _ in found["/observation/state"]] == [stamp for stamp, _ in shown]
    np.testing.assert_array_equal([ros.position for _, ros in found["/observation/state"]], [v for _, v in shown])
    assert found["/observation/state"][0][1].name == ["a", "b", "c"]
    for name, topic in (("left", "/observation/images/left"), ("right", "/observation/images/right")):
        # The last image before each frame, each once: from the one that the first frame shows on.
        first = max(i for i, (stamp, _) in enumerate(recording[name]) if stamp <= shown[0][0])
        expected = [each for each in recording[name][first:] if each[0] <= shown[-1][0]]
        messages = found[topic if images == "raw" else f"{topic}/compressed"]
        assert [stamp_of(ros) for _, ros in messages] == [stamp for stamp, _ in expected]
        for (_, ros), (_, image) in zip(messages, expected, strict=True):
            pixels = (
                np.frombuffer(bytes(ros.data), np.uint8).reshape(48, 64, 3)
                if images == "raw"
                else np.asarray(PIL.Image.open(io.BytesIO(ros.data)))
            )
            np.testing.assert_array_equal(pixels, image)
    first = max(i for i, (stamp, _) in enumerate(recording["commands"]) if stamp <= shown[0][0])
    expected = [each for each in recording["commands"][first:] if each[0] <= shown[-1][0]]
    assert [stamp_of(ros) for _, ros in found["/action"]] == [stamp for stamp, _ in expected]
    np.testing.assert_array_equal([ros.position for _, ros in found["/action"]], [v[:2] for _, v in expected])
    texts = [ros.data for _, ros in found["/episode/event"]]
    assert texts == ["episode_start:stack the cubes", "episode_stop:success"]


def test_an_export_is_imported_by_the_contract_that_is_proposed_for_it(tmp_path, kit, recording, capsys):
    kit.convert(tmp_path / "log.mcap", CONTRACT, tmp_path / "set")
    run_command("export-mcap", [f"--dataset.root={tmp_path / 'set'}", f"--output={tmp_path / 'again.mcap'}"])
    capsys.readouterr()
    run_command("mcap-contract", [str(tmp_path / "again.mcap")])
    (tmp_path / "contract.yaml").write_text(capsys.readouterr().out)
    words = ["--from=mcap", f"--from.path={tmp_path / 'again.mcap'}", f"--from.contract={tmp_path / 'contract.yaml'}"]
    run_command("convert-dataset", [*words, f"--root={tmp_path / 'more'}", "--video=false", "--float_type=source"])
    first, second = kit.read(tmp_path / "set"), kit.read(tmp_path / "more")
    assert second.tasks[0] == "stack the cubes"
    assert second.info["fps"] == 30
    assert {"observation.images.left", "observation.images.right", "action"} <= second.features.keys()
    rows = {tuple(row) for row in first.columns["observation.state"]}
    assert {tuple(row) for row in second.columns["observation.state"]} <= rows


def test_a_dataset_without_stamps_gets_even_ones(tmp_path, kit, recording):
    contract = {**CONTRACT, "grid": "fixed", "fps": 20, "stamps": False}
    kit.convert(tmp_path / "log.mcap", contract, tmp_path / "set")
    words = [f"--dataset.root={tmp_path / 'set'}", f"--output={tmp_path / 'again.mcap'}", "--begin_s=1000"]
    run_command("export-mcap", words)
    stamps = [stamp_of(ros) for _, ros in decoded(tmp_path / "again.mcap")["/observation/state"]]
    assert stamps == [1000 * 10**9 + i * 50_000_000 for i in range(18)]
    with pytest.raises(LeRobotError, match="already exists"):
        run_command("export-mcap", words)
    with pytest.raises(LeRobotError, match=r"no episode 4\n  expected: 0"):
        run_command("export-mcap", [*words, "--dataset.episodes=[4]"])


def test_depth_and_texts_survive(tmp_path, kit):
    rng = np.random.default_rng(0)
    depth = rng.integers(0, 2**16, (5, 32, 40), np.uint16)
    with kit.LogWriter(tmp_path / "log.mcap") as log:
        for i, image in enumerate(depth):
            log.image("/depth/image_raw", T0 + i * 10**8, image, "16UC1")
            log.text("/note", T0 + i * 10**8, f"note {i // 2}")
    contract = {
        "fps": 10,
        "task": "look",
        "on_gap": "refuse",
        "streams": {
            "depth": {"topic": "/depth/image_raw", "clock": "header", "align": "nearest", "tolerance_ms": 1},
            "note": {"topic": "/note", "clock": "log", "align": "hold", "tolerance_ms": 1},
        },
        "features": {
            "observation.images.depth": [{"stream": "depth"}],
            "note": [{"stream": "note", "field": "data"}],
        },
    }
    kit.convert(tmp_path / "log.mcap", contract, tmp_path / "set")
    found = kit.read(tmp_path / "set")
    assert found.features["observation.images.depth"]["info"]["is_depth_map"]
    np.testing.assert_array_equal(found.columns["observation.images.depth"], depth)
    words = [f"--dataset.root={tmp_path / 'set'}", "--images=raw", f"--output={tmp_path / 'again.mcap'}"]
    run_command("export-mcap", words)
    again = decoded(tmp_path / "again.mcap")
    for (_, ros), image in zip(again["/observation/images/depth"], depth, strict=True):
        assert ros.encoding == "16UC1"
        np.testing.assert_array_equal(np.frombuffer(bytes(ros.data), np.uint16).reshape(32, 40), image)
    assert [ros.data for _, ros in again["/note"]] == [f"note {i // 2}" for i in range(5)]
