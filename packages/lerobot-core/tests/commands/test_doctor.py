"""`lerobot doctor`: facts of the machine; findings of a device with places, cameras measured together, exit codes."""

import json
import shutil
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from lerobot.core.cli.app import main
from lerobot.core.fake.robot import FakeRobot

FINDINGS = """
from dataclasses import dataclass
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.robot import FakeRobot

class ChainConfig(FakeRobotConfig):
    target = "chain:Chain"
    type: str = "chain"
    sound: bool = False

@dataclass
class Found:
    cause: str
    motor: str
    place: int
    what: str
    hint: str

class Chain(FakeRobot):
    def diagnose(self):
        assert not self.is_connected
        if self.config.sound:
            return []
        return [
            Found("low_voltage", "", 0, "the supply is at 4.1 V.", "Use another supply."),
            Found("wrong_model", "elbow", 3, "it is a screwdriver.", "Use a motor."),
        ]
"""


@pytest.fixture
def doctor(isolated_registry, tmp_plugin, capsys, monkeypatch) -> Callable[..., tuple[int, str, str]]:
    tmp_plugin.install("lerobot-chain", {"robot": {"chain": "chain:ChainConfig"}}, {"chain": FINDINGS})
    monkeypatch.setattr("lerobot.core.devices.diagnosis.CAMERA_TEST_S", 0.3)

    def doctor(*arguments: str) -> tuple[int, str, str]:
        code = main(["lerobot", "doctor", *arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return code, captured.out, captured.err

    return doctor


def test_every_finding_is_told_with_place_cause_and_what_to_do(doctor) -> None:
    code, out, _ = doctor("hardware", "--robot.type=chain", "--robot.id=one")
    assert code == 1
    assert out == (
        "Examining fake(one); nothing moves ...\n"
        "1. the whole line: low voltage\n   the supply is at 4.1 V.\n   Use another supply.\n"
        "2. motor 3 of the chain ('elbow'): wrong model\n   it is a screwdriver.\n   Use a motor.\n"
        "fake(one): 2 problems\n"
    )


def test_findings_as_json(doctor) -> None:
    code, out, _ = doctor("hardware", "--robot.type=chain", "--robot.id=one", "--format=json")
    assert code == 1
    line, elbow = json.loads(out)["fake(one)"]
    assert (line["where"], line["cause"], line["what"]) == ("the whole line", "low voltage", "the supply is at 4.1 V.")
    assert (elbow["motor"], elbow["place"], elbow["hint"]) == ("elbow", 3, "Use a motor.")
    code, out, _ = doctor("hardware", "--robot.type=chain", "--robot.sound=true", "--format=json")
    assert (code, json.loads(out)) == (0, {"fake": []})


def test_a_sound_device_is_called_sound(doctor) -> None:
    code, out, _ = doctor("hardware", "--robot.type=chain", "--robot.sound=true")
    assert (code, out.splitlines()[-1]) == (0, "fake: nothing wrong was found")


@pytest.mark.parametrize(
    ("camera", "told"),
    [
        ("{type: fake, fps: 20, width: 64, height: 48, freezes_after: 2}", "of 20.0 pictures a second arrive"),
        ("{type: fake, fps: 20, width: 64, height: 48, dies_after: 1}", "cameras: not reachable"),
    ],
)
def test_cameras_are_examined_together(doctor, camera, told) -> None:
    pytest.importorskip("numpy")
    code, out, _ = doctor(
        "hardware", "--robot.type=chain", "--robot.sound=true", f"--robot.cameras={{front: {camera}}}"
    )
    assert code == 1
    assert told in out


def test_a_device_that_cannot_examine_itself_says_so(doctor) -> None:
    assert not hasattr(FakeRobot, "diagnose")
    code, _, err = doctor("hardware", "--robot.type=fake")
    assert code == 1
    assert "Device type 'fake' cannot examine itself." in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["hardware"], "--robot.type or --teleop.type: which device to examine"),
        (["--robot.type=chain"], "the word 'hardware' before the device"),
    ],
)
def test_devices_and_the_word_hardware_belong_together(doctor, arguments, told) -> None:
    code, _, err = doctor(*arguments)
    assert code == 2
    assert told in err


LOOKING = """
from lerobot.core.hooks import hookimpl
from lerobot.core.installation import Fact

@hookimpl
def examine_installation(tell):
    tell(Fact("press", "Gutenberg 1.0", "Oil it."))
    tell(Fact("paper", "80 g"))
"""


def test_what_packages_find_out_is_told_with_what_to_do(doctor, tmp_plugin, lerobot_home) -> None:
    tmp_plugin.install("lerobot-press", {"hooks": {"press": "press"}}, {"press": LOOKING})
    code, out, _ = doctor()
    assert code == 0
    told = [line.split(maxsplit=1) for line in out.splitlines()]
    assert ["press", "Gutenberg 1.0"] in told
    assert told[told.index(["press", "Gutenberg 1.0"]) + 1] == ["->", "Oil it."]
    assert ["paper", "80 g"] in told
    disk = next(text for subject, text in told if subject == "disk")
    assert str(lerobot_home) in disk
    assert "MB/s" in disk
    assert not list(lerobot_home.iterdir()), "the sample is gone"


def test_facts_and_problems_as_json(doctor, tmp_plugin) -> None:
    tmp_plugin.install("lerobot-press", {"hooks": {"press": "press"}}, {"press": LOOKING})
    tmp_plugin.install("robot-bad", {"robot": {"bad": "bad_robot:Config"}}, {"bad_robot": "import no_such_sdk"})
    code, out, _ = doctor("--format=json")
    told = json.loads(out)
    assert {"subject": "press", "found": "Gutenberg 1.0", "advice": "Oil it."} in told["facts"]
    assert (code, len(told["problems"]), told["packages"]) == (1, 1, 4), "core and three"
    assert "no_such_sdk" in told["problems"][0]


def test_a_full_disk_and_one_that_cannot_be_written_are_told(doctor, lerobot_home, monkeypatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**30))
    assert "-> Make room" in doctor()[1]

    def refused(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("lerobot.core.installation.tempfile.TemporaryFile", refused)
    _, out, _ = doctor()
    assert f"{lerobot_home} cannot be written: Permission denied" in out
    assert "-> Set HF_LEROBOT_HOME to a folder of yours." in out
