"""Values are read as the field's type says; the peer's YAML 1.1 surprises stay out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from lerobot.core.config import CommandConfig, PolicyConfig, load
from lerobot.core.errors import ConfigError
from lerobot.core.registry import registry
from lerobot.core.testing.fake_policy import FakePolicyConfig

ARM = ("--robot.type=arm", "--robot.port=p")


@pytest.mark.parametrize(
    "text",
    [
        "001",
        "0x10",
        "on",
        "yes",
        "null",
        '"quoted"',
        "pick: the cube",
        "100% # done",
        "COM3",
        "1e3",
        "2024-01-02",
        "~/d",
    ],
)
def test_text_stays_as_typed(resolve: Callable[..., Any], text: str) -> None:
    assert resolve(f"--task={text}").config.task == text
    assert resolve("--task", text).config.task == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("030", 30), ("-0", 0), ("1_000", 1000), ("+7", 7)],
)
def test_whole_numbers_are_decimal(resolve: Callable[..., Any], text: str, value: int) -> None:
    assert resolve(f"--steps={text}").config.steps == value


@pytest.mark.parametrize(
    ("text", "value"), [("1e-4", 1e-4), ("1e1", 10.0), (".5", 0.5), ("3", 3.0), (".inf", float("inf"))]
)
def test_numbers(resolve: Callable[..., Any], text: str, value: float) -> None:
    assert resolve(f"--lr={text}").config.lr == value


@pytest.mark.parametrize(
    ("text", "value"),
    [(t, True) for t in ("true", "True", "TRUE", "yes", "on", "1")] + [(t, False) for t in ("false", "No", "off", "0")],
)
def test_booleans(resolve: Callable[..., Any], text: str, value: bool) -> None:
    assert resolve(f"--autoplay={text}").config.autoplay is value
    assert resolve("--autoplay", text).config.autoplay is value


def test_a_switch_alone_is_true_and_no_makes_it_false(resolve: Callable[..., Any]) -> None:
    assert resolve("--robot.type=arm", "--robot.port=p", "--robot.use_degrees").config.robot.use_degrees is True
    assert resolve("--no-autoplay").config.autoplay is False
    assert resolve("--no_autoplay", "--steps=4").config.steps == 4


def test_a_switch_does_not_swallow_a_positional_parameter(resolve: Callable[..., Any]) -> None:
    config = resolve("--no-autoplay", "opencv").config
    assert config.word == "opencv"
    assert config.autoplay is False


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("2", 2),
        ("/dev/video0", Path("/dev/video0")),
        ("'0'", Path("0")),
        ("'/dev/video0'", Path("/dev/video0")),
    ],
)
def test_a_camera_is_an_index_or_a_path(resolve: Callable[..., Any], text: str, value: object) -> None:
    cameras = f"{{front: {{type: cam, index_or_path: {text}, width: 640, height: 480, fps: 30}}}}"
    config = resolve(*ARM, f"--robot.cameras={cameras}").config
    assert config.robot.cameras["front"].index_or_path == value


def test_structured_values_are_yaml_over_several_lines(resolve: Callable[..., Any]) -> None:
    cameras = (
        '{\nwrist: {"type": "cam", "index_or_path": 1, \'width\': 640, "height": 480, fps: 030, serial: 0123456},\n}'
    )
    camera = resolve(*ARM, f"--robot.cameras={cameras}").config.robot.cameras["wrist"]
    assert (camera.index_or_path, camera.width, camera.fps, camera.serial) == (1, 640, 30.0, "0123456")


def test_a_field_of_one_camera_can_be_changed_by_its_name(resolve: Callable[..., Any]) -> None:
    cameras = "{front-left: {type: cam, index_or_path: 0, width: 1, height: 1, fps: 30}}"
    config = resolve(*ARM, "--robot.cameras.front-left.fps=15", f"--robot.cameras={cameras}").config
    assert config.robot.cameras["front-left"].fps == 15


def test_a_union_takes_the_first_that_fits(resolve: Callable[..., Any]) -> None:
    assert resolve(*ARM, "--robot.max_relative_target=5").config.robot.max_relative_target == 5.0
    per_joint = resolve(*ARM, "--robot.max_relative_target={shoulder_pan: 5}").config.robot.max_relative_target
    assert per_joint == {"shoulder_pan": 5.0}
    assert resolve(*ARM, "--robot.max_relative_target=null").config.robot.max_relative_target is None


@pytest.mark.parametrize(("text", "value"), [("8", 8), ("medium", "medium"), ("008", "008")])
def test_numbers_beside_text_must_look_like_numbers(resolve: Callable[..., Any], text: str, value: object) -> None:
    preset = resolve("--dataset.repo_id=a/b", f"--dataset.encoder.preset={text}").config.dataset.encoder.preset
    assert preset == value
    assert type(preset) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("[0]", [0]), ("[0, 1,]", [0, 1]), ("null", None), ("[]", [])],
)
def test_lists(resolve: Callable[..., Any], text: str, value: object) -> None:
    assert resolve(f"--episodes={text}").config.episodes == value


def test_values_of_any_type_follow_yaml_1_2(resolve: Callable[..., Any]) -> None:
    text = '{"tune": "film", "bf": 2, deep: [1e-3, no, true, null, 010], "n": "2"}'
    options = resolve(
        "--dataset.repo_id=a", f"--dataset.encoder.extra_options={text}"
    ).config.dataset.encoder.extra_options
    assert options == {"tune": "film", "bf": 2, "deep": [1e-3, "no", True, None, 10], "n": "2"}


def test_choices_are_written_by_value_or_name(resolve: Callable[..., Any]) -> None:
    for text, value in (("bgr", "bgr"), ("BGR", "bgr"), ("Rgb", "rgb")):
        cameras = (
            f"{{a: {{type: cam, index_or_path: 0, width: 1, height: 1, fps: 1, rotation: -90, color_mode: {text}}}}}"
        )
        camera = resolve(*ARM, f"--robot.cameras={cameras}").config.robot.cameras["a"]
        assert camera.color_mode.value == value
        assert camera.rotation == -90


def test_a_choice_takes_only_subclasses_of_its_own_class(
    problems: Callable[..., list[str]], resolve: Callable[..., Any]
) -> None:
    choice = type(resolve(*ARM, "--policy.type=tiny_act").config.policy).__mro__[1]
    needed = f"{choice.__module__}.PolicyChoice"
    registry.register("policy", "plain", FakePolicyConfig)
    assert problems(*ARM, "--policy.type=plain") == [
        f"--policy.type: got 'plain', expected a policy whose configuration derives from {needed} "
        "(its class lerobot.core.testing.fake_policy.FakePolicyConfig does not)"
    ]
    for given in ({"type": "plain"}, FakePolicyConfig()):
        with pytest.raises(ValidationError, match="FakePolicyConfig"):
            TypeAdapter(choice).validate_python(given)


def test_a_union_of_choices_takes_what_either_takes() -> None:
    class Near(PolicyConfig):
        """One choice."""

    class Far(PolicyConfig):
        """Another one."""

    class NearPolicy(Near):
        target = "here:Policy"

    class FarPolicy(Far):
        target = "there:Policy"

    class Command(CommandConfig):
        policy: Near | Far

    with registry.temporary():
        for name, cls in (("near", NearPolicy), ("far", FarPolicy), ("plain", FakePolicyConfig)):
            registry.register("policy", name, cls)
        assert type(load(Command, ["--policy.type=near"]).config.policy) is NearPolicy
        assert type(load(Command, ["--policy.type=far"]).config.policy) is FarPolicy
        assert type(Command(policy={"type": "far"}).policy) is FarPolicy  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match=r"derives from .*Near or .*Far"):
            load(Command, ["--policy.type=plain"])


def test_home_is_expanded_in_paths_only(resolve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    config = resolve(*ARM, "--robot.calibration_dir=~/calibration", "--task=~/$HOME").config
    assert config.robot.calibration_dir == Path("/somewhere/calibration")
    assert config.task == "~/$HOME"


def test_dashes_are_underscores_in_names_and_the_last_flag_wins(resolve: Callable[..., Any]) -> None:
    config = resolve("--dataset.repo-id=a", "--dataset.repo_id=b", "--rename-map={k-1: v}").config
    assert config.dataset.repo_id == "b"
    assert config.rename_map == {"k-1": "v"}
    assert resolve("--dataset.repo_id=b", "--dataset.repo-id=a").config.dataset.repo_id == "a"


def test_an_optional_section_that_is_null_is_absent(resolve: Callable[..., Any]) -> None:
    assert resolve("--dataset=null").config.dataset is None


def test_a_default_that_is_a_model_keeps_its_other_values(resolve: Callable[..., Any]) -> None:
    encoder = resolve("--dataset.repo_id=a", "--dataset.encoder.preset=fast").config.dataset.encoder
    assert (encoder.crf, encoder.preset) == (12, "fast")


def test_models_of_a_union_are_chosen_by_their_type(resolve: Callable[..., Any]) -> None:
    assert resolve("--operation.type=split", "--operation.parts=3").config.operation.parts == 3
    assert resolve("--operation={type: merge, sources: [a, 01]}").config.operation.sources == ["a", "01"]
