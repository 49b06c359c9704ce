"""`lerobot find-cameras`: its text, its pictures, and types that are broken, missing or cannot look."""

import json
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest

from lerobot.core.commands.find_cameras import FindCamerasConfig
from lerobot.core.devices.command import find_cameras
from lerobot.core.devices.png import write_png
from lerobot.core.errors import LeRobotError, PluginNotFoundError, PluginNotInstalledError
from lerobot.core.fake.pattern import read_frame_number
from lerobot.core.registry import Registry
from lerobot.core.testing import PluginFolder, ScriptedPrompter

CAMERA = """
from lerobot.core.config import CameraConfig

class BlindConfig(CameraConfig):
    target = "blind_camera.config:Blind"
    type: str = "blind"

class Blind: {body}
"""


def read_png(path: Path) -> np.ndarray:
    """An independent reader of what the writer may write: no filter, no interlace."""
    data, chunks, place = path.read_bytes(), [], 8
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        assert struct.unpack_from(">I", data, place + 8 + length)[0] == zlib.crc32(kind + body)
        chunks.append((kind, body))
        place += 12 + length
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
    assert rest == [0, 0, 0]
    dtype, channels = ("uint8", 3) if (depth, colour) == (8, 2) else (">u2", 1)
    rows = np.frombuffer(zlib.decompress(chunks[1][1]), np.uint8).reshape(height, -1)
    assert not rows[:, 0].any()
    return np.ascontiguousarray(rows[:, 1:]).view(dtype).reshape(height, width, channels)


@pytest.mark.parametrize(("dtype", "channels"), [(np.uint8, 3), (np.uint16, 1)])
def test_a_picture_survives_png(tmp_path: Path, dtype: type, channels: int) -> None:
    image = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (7, 5, channels)).astype(dtype)
    write_png(tmp_path / "deep" / "picture.png", image)
    assert np.array_equal(read_png(tmp_path / "deep" / "picture.png"), image)


def find(folder: Path, camera_type: str | None = None) -> list[str]:
    prompter = ScriptedPrompter()
    config = FindCamerasConfig(camera_type=camera_type, output_dir=folder, record_time_s=0.05, warmup_s=0)
    find_cameras(config, prompter)
    return prompter.said


def test_a_camera_is_described_and_its_picture_saved(tmp_path: Path) -> None:
    said = find(tmp_path, "fake")
    assert "\n".join(said) == (
        "\n--- Detected Cameras ---\nCamera #0:\n  Name: Fake Camera @ 0\n  Type: Fake\n  Id: 0\n  Simulated: True\n"
        "  Default stream profile:\n    Format: RGB\n    Width: 640\n    Height: 480\n    Fps: 30.0\n"
        f"--------------------\nImage capture finished. Images saved to {tmp_path}"
    )
    picture = read_png(tmp_path / "fake_0.png")
    assert picture.shape == (480, 640, 3)
    assert read_frame_number(picture) >= 1


def test_cameras_as_json_say_their_type_and_where_their_picture_is(tmp_path: Path) -> None:
    prompter = ScriptedPrompter()
    config = FindCamerasConfig(camera_type="fake", output_dir=tmp_path, record_time_s=0.05, warmup_s=0, format="json")
    find_cameras(config, prompter)
    (found,) = json.loads("\n".join(prompter.said))
    assert (found["camera"], found["id"], found["picture"]) == ("fake", 0, str(tmp_path / "fake_0.png"))
    assert read_png(tmp_path / "fake_0.png").shape == (480, 640, 3)


def test_nothing_installed_can_look(isolated_registry: Registry, tmp_path: Path) -> None:
    assert find(tmp_path) == [
        "No installed package can look for cameras; lerobot-opencv can. "
        "Install it, in a checkout of this project: uv pip install ./packages/lerobot-opencv"
    ]


def test_nothing_was_found(isolated_registry: Registry, tmp_plugin: PluginFolder, tmp_path: Path) -> None:
    source = CAMERA.format(body="find_cameras = staticmethod(list)")
    tmp_plugin.install(
        "camera-blind", {"camera": {"blind": "blind_camera.config:BlindConfig"}}, {"blind_camera.config": source}
    )
    assert find(tmp_path) == ["No cameras (blind) were detected."]
    assert find(tmp_path, "blind") == ["No blind cameras were detected."]


def test_a_type_that_cannot_look_says_so(isolated_registry: Registry, tmp_plugin: PluginFolder, tmp_path: Path) -> None:
    source = CAMERA.format(body="pass")
    tmp_plugin.install(
        "camera-blind", {"camera": {"blind": "blind_camera.config:BlindConfig"}}, {"blind_camera.config": source}
    )
    with pytest.raises(LeRobotError, match="'blind' cannot look for cameras"):
        find(tmp_path, "blind")


def test_a_found_camera_that_cannot_be_opened_is_listed_without_picture(
    isolated_registry: Registry, tmp_plugin: PluginFolder, tmp_path: Path
) -> None:
    body = "find_cameras = staticmethod(lambda: [{'name': 'Blind @ 1', 'type': 'Blind', 'id': 1}])"
    tmp_plugin.install(
        "camera-blind",
        {"camera": {"blind": "blind_camera.config:BlindConfig"}},
        {"blind_camera.config": CAMERA.format(body=body)},
    )
    said = find(tmp_path)
    assert "  Name: Blind @ 1" in said
    assert said[-1] == "No picture of Blind @ 1: its package does not open cameras it found."


def test_a_broken_plugin_hides_no_other(
    isolated_registry: Registry, tmp_plugin: PluginFolder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_plugin.install("camera-bad", {"camera": {"bad": "bad_camera:Config"}}, {"bad_camera": "import no_such_sdk"})
    source = CAMERA.format(body="find_cameras = staticmethod(list)")
    tmp_plugin.install(
        "camera-blind", {"camera": {"blind": "blind_camera.config:BlindConfig"}}, {"blind_camera.config": source}
    )
    assert find(tmp_path) == ["No cameras (blind) were detected."]
    assert "no_such_sdk" in caplog.text


def test_a_part_of_a_name_will_do(isolated_registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(
        PluginNotInstalledError,
        match="camera 'intelrealsense' is provided by 'lerobot-realsense'",
    ):
        find(tmp_path, "realsense")


def test_an_unknown_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginNotFoundError, match="nonsense"):
        find(tmp_path, "nonsense")


def test_simulated_cameras_are_listed_only_when_they_are_asked_for(
    isolated_registry: Registry, tmp_plugin: PluginFolder, tmp_path: Path
) -> None:
    body = "find_cameras = staticmethod(lambda: [{'name': 'Blind @ 1', 'type': 'Blind', 'id': 1, 'simulated': True}])"
    tmp_plugin.install(
        "camera-blind",
        {"camera": {"blind": "blind_camera.config:BlindConfig"}},
        {"blind_camera.config": CAMERA.format(body=body)},
    )
    assert "Blind @ 1" not in "\n".join(find(tmp_path))
    assert "  Name: Blind @ 1" in find(tmp_path, "blind")


def test_watched_cameras_are_saved_again_and_again_and_closed_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers: list[int] = []

    def look(_seconds: float) -> None:
        numbers.append(read_frame_number(read_png(tmp_path / "fake_0.png")))
        if len(numbers) == 3:
            raise KeyboardInterrupt
        # The next picture is another one.
        threading.Event().wait(0.1)

    prompter = ScriptedPrompter()
    monkeypatch.setattr("lerobot.core.devices.camera_search.time.sleep", look)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        find_cameras(FindCamerasConfig(camera_type="fake", output_dir=tmp_path, watch=True, format="json"), prompter)
    assert numbers == sorted(set(numbers))
    assert [json.loads(line)[0]["picture"] for line in prompter.said] == [str(tmp_path / "fake_0.png")] * 3
    assert threading.active_count() == before
    assert [path.name for path in tmp_path.iterdir()] == ["fake_0.png"]
