import json
from pathlib import Path

import pytest

from lerobot.core.errors import CalibrationError
from lerobot.motors import MotorCalibration, find_calibration, load_calibration, save_calibration

NEW_FORMAT = {"id", "drive_mode", "homing_offset", "range_min", "range_max"}


def is_new_format(path: Path) -> bool:
    content = json.loads(path.read_text())
    return all(isinstance(entry, dict) and set(entry) == NEW_FORMAT for entry in content.values())


def test_every_file_of_the_present_format_loads_and_is_written_back_byte_for_byte(calibration_files, tmp_path) -> None:
    files = [path for path in calibration_files if is_new_format(path)]
    assert len(files) >= 6
    for path in files:
        calibration = load_calibration(path)
        assert {name: vars(entry) for name, entry in calibration.items()} == json.loads(path.read_text())
        copy = tmp_path / "copy.json"
        save_calibration(copy, calibration)
        assert copy.read_text() == path.read_text().rstrip("\n")


def test_every_file_of_an_older_format_is_refused_with_its_reason(calibration_files) -> None:
    files = [path for path in calibration_files if not is_new_format(path)]
    assert len(files) > 50
    reasons = set()
    for path in files:
        with pytest.raises(CalibrationError) as caught:
            load_calibration(path)
        assert str(path) in caught.value.what
        assert "Calibrate" in caught.value.hint
        reasons.add(caught.value.what.removeprefix(str(path)))
    assert len(reasons) == 3
    assert all("motor '" not in reason for reason in reasons)


def test_the_text_is_the_one_others_read(tmp_path) -> None:
    path = tmp_path / "new" / "arm.json"
    save_calibration(path, {"shoulder_pan": MotorCalibration(1, 0, -14, 1015, 3128)})
    assert path.read_text() == (
        '{\n    "shoulder_pan": {\n        "id": 1,\n        "drive_mode": 0,\n        "homing_offset": -14,\n'
        '        "range_min": 1015,\n        "range_max": 3128\n    }\n}'
    )
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no JSON"),
        ("[]", "no motors"),
        ("{}", "no motors"),
        ('{"a": {"id": 1}}', "'a' has id"),
        ('{"a": 3}', "'a' has 3"),
        ('{"a": {"id": 1, "drive_mode": 0, "homing_offset": -14.0, "range_min": 0, "range_max": 9}}', "-14.0"),
        ('{"a": {"id": true, "drive_mode": 0, "homing_offset": 1, "range_min": 0, "range_max": 9}}', "True"),
    ],
)
def test_what_is_no_calibration_is_named(tmp_path, text, told) -> None:
    path = tmp_path / "arm.json"
    path.write_text(text)
    with pytest.raises(CalibrationError, match=told):
        load_calibration(path)


def test_a_missing_file_is_an_error_of_ours(tmp_path) -> None:
    with pytest.raises(CalibrationError, match="cannot be read"):
        load_calibration(tmp_path / "none.json")


def test_files_of_earlier_releases_are_found(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HF_LEROBOT_CALIBRATION", str(tmp_path))
    former = ("so101_follower", "so100_follower")
    belongs = tmp_path / "robots" / "so_follower" / "black.json"
    assert find_calibration("robots", "so_follower", "black", None, former) == belongs
    oldest = tmp_path / "robots" / "so100_follower" / "black.json"
    oldest.parent.mkdir(parents=True)
    oldest.write_text("{}")
    assert find_calibration("robots", "so_follower", "black", None, former) == oldest
    newer = tmp_path / "robots" / "so101_follower" / "black.json"
    newer.parent.mkdir()
    newer.write_text("{}")
    assert find_calibration("robots", "so_follower", "black", None, former) == newer
    belongs.parent.mkdir()
    belongs.write_text("{}")
    assert find_calibration("robots", "so_follower", "black", None, former) == belongs
    assert find_calibration("robots", "so_follower", "black", tmp_path / "x", former) == tmp_path / "x" / "black.json"


@pytest.mark.parametrize(
    ("id", "spelled"),
    [("001", "1"), ("010", "8"), ("0x10", "16"), ("on", "True"), ("1_000", "1000"), ("1.50", "1.5"), ("null", "None")],
)
def test_ids_as_the_peer_spells_them_are_a_fall_back(tmp_path, monkeypatch, caplog, id, spelled) -> None:  # noqa: A002
    """The right-hand sides were printed by huggingface/lerobot 0.6.1 for `--robot.id=<left-hand side>`."""
    monkeypatch.setenv("HF_LEROBOT_CALIBRATION", str(tmp_path))
    folder = tmp_path / "robots" / "so_follower"
    folder.mkdir(parents=True)
    assert find_calibration("robots", "so_follower", id, None) == folder / f"{id}.json"
    (folder / f"{spelled}.json").write_text("{}")
    with caplog.at_level("INFO"):
        assert find_calibration("robots", "so_follower", id, None) == folder / f"{spelled}.json"
    assert f"id '{id}': using {folder / spelled}.json" in caplog.text
    assert find_calibration("robots", "x", id, folder) == folder / f"{spelled}.json"
    (folder / f"{id}.json").write_text("{}")
    assert find_calibration("robots", "so_follower", id, None) == folder / f"{id}.json"


@pytest.mark.parametrize("id", ["1e3", "08", "2024-01-02", "a: b: c", "black"])
def test_other_ids_have_one_spelling(tmp_path, id) -> None:  # noqa: A002
    for other in ("1000.0", "8", "None"):
        (tmp_path / f"{other}.json").write_text("{}")
    assert find_calibration("robots", "so_follower", id, tmp_path) == tmp_path / f"{id}.json"
