"""The step, beside the mapping that huggingface/lerobot documents."""

from typing import Any

import numpy as np
import pytest

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors import build_step
from lerobot.core.processors.transition import TransitionKey
from lerobot.core.types import FeatureSpec
from lerobot.phone.config import MapPhoneActionConfig


def mapped(enabled: bool, platform: str = "android", heading_deg: float = 0.0, **inputs: float) -> dict[str, Any]:
    names = ("a3",) if platform == "ios" else ("reservedButtonA", "reservedButtonB")
    action = {
        "phone.pos": np.array([0.1, 0.2, 0.3], np.float32),
        "phone.rot": np.array([0.4, 0.5, 0.6], np.float32),
        "phone.enabled": enabled,
        **{f"phone.raw_inputs.{name}": inputs.get(name, 0.0) for name in names},
        "other": 7.0,
    }
    step = build_step(MapPhoneActionConfig.model_validate({"platform": platform, "heading_deg": heading_deg}))
    result: dict[str, Any] = step({TransitionKey.ACTION: action})[TransitionKey.ACTION]
    return result


def test_the_mapping_is_the_documented_one() -> None:
    action = mapped(True, reservedButtonA=1.0)
    assert action.pop("enabled") is True
    assert action == pytest.approx(
        {
            "other": 7.0,
            "target_x": -0.2,
            "target_y": 0.1,
            "target_z": 0.3,
            "target_wx": 0.5,
            "target_wy": 0.4,
            "target_wz": -0.6,
            "gripper_vel": 1.0,
        }
    )


def test_what_is_not_held_moves_nothing_but_the_gripper() -> None:
    action = mapped(False, reservedButtonB=1.0)
    assert action.pop("gripper_vel") == -1.0
    assert action.pop("other") == 7.0
    assert not any(action.values())
    assert mapped(False, "ios", a3=0.5)["gripper_vel"] == 0.5


def test_a_heading_turns_the_motion() -> None:
    action = mapped(True, heading_deg=-90)
    assert (action["target_x"], action["target_y"]) == pytest.approx((0.1, 0.2))


def test_features_and_what_is_saved() -> None:
    step = build_step(MapPhoneActionConfig(platform="ios"))
    assert step.get_config() == {"platform": "ios"}
    given = {f"phone.{name}": FeatureSpec() for name in ("pos", "rot", "enabled", "raw_inputs.a3", "raw_inputs.b1")}
    result = step.transform_features({"action": given, "observation": {}})["action"]
    assert list(result) == [
        "enabled", "target_x", "target_y", "target_z", "target_wx", "target_wy", "target_wz", "gripper_vel",
    ]  # fmt: skip
    with pytest.raises(FeatureMismatchError, match="reservedButtonA"):
        build_step(MapPhoneActionConfig(platform="android")).transform_features({"action": given, "observation": {}})
