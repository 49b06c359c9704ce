"""Configurations of ours that others derive theirs from: called they are models, derived from they are dataclasses."""

import dataclasses
from importlib import import_module

import pytest

pytest.importorskip("lerobot.so100")


def test_what_derives_from_a_mixin_of_ours_is_a_dataclass_with_its_fields() -> None:
    from lerobot.robots.config import RobotConfig
    from lerobot.robots.so_follower import SOFollowerConfig

    @RobotConfig.register_subclass("toasting_arm")
    @dataclasses.dataclass
    class ToastingArmConfig(RobotConfig, SOFollowerConfig):
        crumbs: int = 3

    made = ToastingArmConfig(port="/dev/x", id="left")
    assert (made.port, made.id, made.crumbs, made.use_degrees, made.cameras) == ("/dev/x", "left", 3, True, {})
    assert isinstance(made, SOFollowerConfig)
    assert made.type == "toasting_arm"
    with pytest.raises(TypeError, match="port"):
        ToastingArmConfig()


def test_what_derives_from_a_whole_configuration_of_ours_is_a_robots_too() -> None:
    from lerobot.robots import RobotConfig
    from lerobot.robots.bi_so_follower import BiSOFollowerConfig

    @dataclasses.dataclass
    class PairConfig(BiSOFollowerConfig):
        controller: str = "auto"

    assert issubclass(PairConfig, RobotConfig)
    assert {field.name for field in dataclasses.fields(PairConfig)} >= {"left_arm_config", "id", "controller"}


def test_called_it_is_the_model_that_our_robots_are_made_of() -> None:
    handed_on = import_module("lerobot.robots.so_follower").SO101FollowerConfig
    assert handed_on(port="/dev/x").target == "lerobot.so100.follower:SOFollower"
    family = import_module("lerobot.robots.so_follower").SOFollowerConfig
    assert isinstance(handed_on(port="/dev/x"), family)
