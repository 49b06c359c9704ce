"""Files of settings of huggingface/lerobot, and what of pictures is looked at."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot.core.config import load
from lerobot.core.errors import ConfigError, FeatureMismatchError
from lerobot.core.processors import build_step, robot_observation_pipeline
from lerobot.core.types import FeatureSpec, Observation
from lerobot.rl.commands.actor import ActorConfig
from lerobot.rl.gym_manipulator import GymManipulatorConfig
from lerobot.rl.pictures.config import CropPicturesConfig

FILE: dict[str, Any] = {
    "seed": 7,
    "batch_size": 64,
    "steps": 100000,
    "num_workers": 4,
    "wandb": {"enable": False},
    "policy": {"type": "linear_of_files"},
    "env": {
        "type": "gym_manipulator",
        "name": "real_robot",
        "fps": 10,
        "robot": {"type": "so101_follower", "port": "/dev/ttyACM0"},
        "teleop": {"type": "so101_leader", "port": "/dev/ttyACM1"},
        "processor": {
            "control_mode": "leader",
            "image_preprocessing": {
                "crop_params_dict": {"observation.images.front": [10, 20, 100, 90]}, "resize_size": [64, 64],
            },
            "reset": {"reset_time_s": 2.5, "control_time_s": 12.0},
            "reward_classifier": {"pretrained_path": "me/classifier", "success_threshold": 0.7},
        },
    },
}  # fmt: skip


def test_a_robot_with_a_reward() -> None:
    pytest.importorskip("lerobot.so100")
    found = GymManipulatorConfig.model_validate(FILE["env"]).fields()
    assert "env" not in found
    assert (found["robot"].type, found["teleop"].type) == ("so101_follower", "so101_leader")
    assert (found["fps"], found["episode_time_s"], found["reset_time_s"]) == (10.0, 12.0, 2.5)
    assert found["observation_steps"] == [
        {"type": "crop_pictures", "regions": {"front": (10, 20, 100, 90)}, "size": (64, 64)}
    ]
    assert found["detector"] == {"type": "reward_classifier", "path": "me/classifier", "success_from": 0.7}


def test_gym_hil() -> None:
    env = {"type": "gym_manipulator", "name": "gym_hil", "task": "PandaPickCube-v0"}
    assert GymManipulatorConfig.model_validate(env).fields() == {
        "env": {"type": "gym_hil", "task": "PandaPickCube-v0", "use_gripper": True},
        "realtime": True,
        "episode_time_s": 20.0,
        "reset_time_s": 5.0,
    }


@pytest.mark.parametrize(
    "section",
    [
        {"observation": {"add_current_to_observation": True}},
        {"inverse_kinematics": {"urdf_path": "so101.urdf"}},
        {"reset": {"terminate_on_success": False}},
    ],
)
def test_what_is_not_here_is_refused_and_never_left_out(section: dict[str, Any]) -> None:
    config = GymManipulatorConfig.model_validate({**FILE["env"], "processor": section})
    with pytest.raises(ConfigError, match="processor"):
        config.fields()


def test_the_same_file_is_read_by_the_commands(tmp_path: Path) -> None:
    pytest.importorskip("lerobot.hilserl")
    path = tmp_path / "settings.json"
    env = {"type": "gym_manipulator", "name": "gym_hil", "task": "PandaPickCube-v0"}
    own = {"type": "gaussian_actor", "online_steps": 500, "actor_learner_config": {"learner_port": 4567}}
    path.write_text(json.dumps({**FILE, "policy": own, "env": env, "mixer": "online_offline"}))
    config = load(ActorConfig, [f"--config_path={path}", "--online_ratio=0.25", "--reset_time_s=1"]).config
    assert config.env is not None
    assert (config.env.type, config.learning.type, config.online.steps) == ("gym_hil", "sac", 500)
    assert config.robot is None
    assert (config.reset_time_s, config.episode_time_s, config.realtime) == (1.0, 20.0, True)
    assert (config.learner.port, config.online_ratio, config.batch_size) == (4567, 0.25, 64)


class TestRegions:
    def _pipeline(self, **fields: Any) -> Any:
        return robot_observation_pipeline([build_step(CropPicturesConfig(**fields))])

    def test_what_is_cut_out_is_what_lies_there(self) -> None:
        picture = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
        seen = self._pipeline(regions={"front": (5, 8, 10, 12)})(Observation({"front": picture, "x": 1.5}))
        assert np.array_equal(seen["front"], picture[5:15, 8:20])
        assert seen["x"] == 1.5

    def test_all_have_one_size_and_their_features_say_so(self) -> None:
        pipeline = self._pipeline(regions={"front": (0, 0, 20, 20)}, size=(8, 10))
        images = {name: np.full((30, 40, 3), 7, np.uint8) for name in ("front", "top")}
        seen = pipeline(Observation(images))
        spec = FeatureSpec("uint8", (30, 40, 3), ("height", "width", "channels"))
        features = pipeline.transform_features({"observation": dict.fromkeys(images, spec), "action": {}})
        for name in images:
            assert seen[name].shape == features["observation"][name].shape == (8, 10, 3)
            assert (seen[name] == 7).all()

    @pytest.mark.parametrize("region", [(0, 0, 31, 10), (-1, 0, 10, 10), (0, 35, 10, 10)])
    def test_what_lies_outside_is_refused(self, region: tuple[int, int, int, int]) -> None:
        spec = FeatureSpec("uint8", (30, 40, 3), ("height", "width", "channels"))
        with pytest.raises(FeatureMismatchError, match="beyond"):
            self._pipeline(regions={"front": region}).transform_features({"observation": {"front": spec}, "action": {}})
        with pytest.raises(FeatureMismatchError, match="no camera"):
            self._pipeline(regions={"side": region}).transform_features({"observation": {"front": spec}, "action": {}})
