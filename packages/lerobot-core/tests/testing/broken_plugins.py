"""Plugins with one fault each, for `test_contracts_bite.py`; `must_fail` names the standard test that finds it."""

import sys
import threading
from typing import Any, ClassVar

import numpy as np
import pytest

from lerobot.core.device import DeviceBase
from lerobot.core.fake.camera import FakeCamera
from lerobot.core.fake.config import FakeCameraConfig, FakeRobotConfig, FakeTeleoperatorConfig
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.fake.teleoperator import FakeTeleoperator
from lerobot.core.processors import ProcessorStep, create_transition
from lerobot.core.processors.config import RenameObservationsConfig
from lerobot.core.processors.steps.mapping import RenameObservationsProcessorStep
from lerobot.core.registry import PLUGIN_API
from lerobot.core.testing import (
    CameraContract,
    EnvContract,
    PluginPackageContract,
    PolicyContract,
    ProcessorContract,
    RewardModelContract,
    RobotContract,
    ScriptedPrompter,
    TeleoperatorContract,
)
from lerobot.core.testing.fake_env import FakeEnv, FakeEnvConfig
from lerobot.core.testing.fake_policy import FakePolicy, FakePolicyConfig
from lerobot.core.testing.fake_reward_model import FakeRewardModel, FakeRewardModelConfig
from lerobot.core.types import FeatureSpec, Frame, Observation, Stamp

# --- robots: the life cycle of every device is tried on them ---------------------------------------------------------


class BrokenRobot(RobotContract):
    capabilities = frozenset({"calibration", "setup_motors"})
    robot: ClassVar[Any] = FakeRobot

    @pytest.fixture
    def config(self) -> FakeRobotConfig:
        return FakeRobotConfig()

    def make(self, config: Any) -> Any:
        return self.robot(config, prompter=ScriptedPrompter())

    def in_safe_state(self, robot: Any) -> bool:
        return not robot.torque_enabled


class TestSilentOverride(BrokenRobot):
    must_fail = "test_no_standard_test_is_overridden"

    def test_safe_state_is_reached(self) -> None:
        pass


class TestDeletedTest(BrokenRobot):
    must_fail = "test_no_standard_test_is_overridden"
    test_safe_state_is_reached = None


class TestUnknownCapability(BrokenRobot):
    must_fail = "test_declared_capabilities_exist"
    capabilities = frozenset({"calibration", "setup_motors", "flying"})


class LossyConfig(FakeRobotConfig):
    def model_dump_json(self, **_: Any) -> str:
        return super().model_dump_json(exclude={"time_constant_s"})


class TestLossyConfig(BrokenRobot):
    must_fail = "test_config_survives_json"

    @pytest.fixture
    def config(self) -> FakeRobotConfig:
        return LossyConfig(time_constant_s=1.0)


class UntypedConfig(FakeRobotConfig):
    type: str = ""


class TestUntypedConfig(BrokenRobot):
    must_fail = "test_config_has_a_type"

    @pytest.fixture
    def config(self) -> FakeRobotConfig:
        return UntypedConfig(type="fake")


class TestNameWithASlash(BrokenRobot):
    must_fail = "test_it_has_a_name"

    class robot(FakeRobot):
        name = "my/arm"


class TestConnectsInConstructor(BrokenRobot):
    must_fail = "test_it_starts_disconnected"

    class robot(FakeRobot):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.connect()


class TestWorksDisconnected(BrokenRobot):
    must_fail = "test_use_before_connect_is_refused"

    class robot(FakeRobot):
        def require_connected(self) -> None:
            pass


class TestFirstReadFails(BrokenRobot):
    must_fail = "test_connect_makes_it_usable"

    @pytest.fixture
    def config(self) -> FakeRobotConfig:
        return FakeRobotConfig(fails_after=0)


class TestConnectsTwice(BrokenRobot):
    must_fail = "test_connecting_twice_is_refused"

    class robot(FakeRobot):
        def connect(self, calibrate: bool = True) -> None:
            if not self.is_connected:
                super().connect(calibrate)


class TestDisconnectRaises(BrokenRobot):
    must_fail = "test_disconnect_may_be_repeated"

    class robot(FakeRobot):
        def disconnect(self) -> None:
            self.require_connected()
            super().disconnect()


class TestConnectsOnce(BrokenRobot):
    must_fail = "test_it_can_be_connected_again"

    class robot(FakeRobot):
        used = False

        def connect(self, calibrate: bool = True) -> None:
            if self.used:
                raise OSError("the port is still open")
            super().connect(calibrate)
            self.used = True


class TestSwallowsExceptions(BrokenRobot):
    must_fail = "test_leaving_the_context_disconnects"

    class robot(FakeRobot):
        def __exit__(self, *_: object) -> bool:
            self.disconnect()
            return True


class TestStaysOpenInContext(BrokenRobot):
    must_fail = "test_leaving_the_context_disconnects"

    class robot(FakeRobot):
        def __exit__(self, *_: object) -> None:
            pass


class TestLeaksOnFailure(BrokenRobot):
    must_fail = "test_a_failed_connect_releases_everything"

    class robot(FakeRobot):
        def connect(self, calibrate: bool = True) -> None:
            self._connected = True
            self.configure()


class TestLeavesAThread(BrokenRobot):
    must_fail = "test_no_thread_is_left"

    class robot(FakeRobot):
        def connect(self, calibrate: bool = True) -> None:
            super().connect(calibrate)
            threading.Thread(target=threading.Event().wait, args=(20,), daemon=True).start()


class TestAsksTheTerminal(BrokenRobot):
    must_fail = "test_calibration_survives_a_restart"

    class robot(FakeRobot):
        def calibrate(self) -> None:
            sys.stdin.readline()


class TestForgetsItsCalibration(BrokenRobot):
    must_fail = "test_calibration_survives_a_restart"

    class robot(FakeRobot):
        def calibrate(self) -> None:
            pass


class TestIgnoresCalibrationDir(BrokenRobot):
    must_fail = "test_calibration_survives_a_restart"

    def make(self, config: Any) -> Any:
        return super().make(config.model_copy(update={"calibration_dir": None}))


class TestUndeclaredCapability(BrokenRobot):
    must_fail = "test_motors_can_be_set_up"
    capabilities = frozenset({"calibration"})


class TestConfiguresOnce(BrokenRobot):
    must_fail = "test_configure_may_be_repeated"

    class robot(FakeRobot):
        configured = 0

        def configure(self) -> None:
            self.configured += 1
            if self.configured > 1:
                raise OSError("configured already")


class TestWithoutSafeState(BrokenRobot):
    must_fail = "test_it_fulfils_the_protocol"

    class robot(DeviceBase):
        name = "fake"

        def __init__(self, *_: Any, **__: Any) -> None:
            super().__init__()


class TestFeaturesAppearOnConnect(BrokenRobot):
    must_fail = "test_features_are_known_before_connect"

    class robot(FakeRobot):
        @property
        def action_features(self) -> dict[str, FeatureSpec]:
            return super().action_features if self.is_connected else {}


class TestBareFeatures(BrokenRobot):
    must_fail = "test_positions_declare_unit_and_range"

    class robot(FakeRobot):
        @property
        def action_features(self) -> Any:
            return dict.fromkeys(super().action_features, float)


class TestObservesTooMuch(BrokenRobot):
    must_fail = "test_observation_equals_its_features"

    class robot(FakeRobot):
        def get_observation(self) -> Observation:
            observation = super().get_observation()
            observation["temperature"] = 40.0
            return observation


class TestObservesNaN(BrokenRobot):
    must_fail = "test_observation_equals_its_features"

    class robot(FakeRobot):
        def get_observation(self) -> Observation:
            observation = super().get_observation()
            observation["gripper.pos"] = float("nan")
            return observation


class TestStampsTheFuture(BrokenRobot):
    must_fail = "test_observation_times_are_measured"

    class robot(FakeRobot):
        def get_observation(self) -> Observation:
            observation = super().get_observation()
            observation.stamps["gripper.pos"] = Stamp(1e12)
            return observation


class TestSafeStateNeedsCameras(BrokenRobot):
    must_fail = "test_cameras_are_in_the_features"
    capabilities = frozenset({"calibration", "cameras", "setup_motors"})

    @pytest.fixture
    def config(self) -> FakeRobotConfig:
        return FakeRobotConfig(cameras={"front": FakeCameraConfig(width=32, height=32, fps=100)})

    class robot(FakeRobot):
        def enter_safe_state(self) -> None:
            self.get_observation()
            super().enter_safe_state()


class TestReturnsTheRequest(BrokenRobot):
    must_fail = "test_what_is_sent_lies_inside_the_limits"

    class robot(FakeRobot):
        def send_action(self, action: Any) -> Any:
            super().send_action(action)
            return dict(action)


class TestChangesTheRequest(BrokenRobot):
    must_fail = "test_send_action_returns_what_was_sent"

    class robot(FakeRobot):
        def send_action(self, action: Any) -> Any:
            sent = super().send_action(action)
            action["gripper.pos"] = 0.0
            return sent


class TestNamelessSafeState(BrokenRobot):
    must_fail = "test_safe_state_is_declared"

    class robot(FakeRobot):
        safe_state = ""


class TestStaysEnergised(BrokenRobot):
    must_fail = "test_safe_state_is_reached"

    class robot(FakeRobot):
        def enter_safe_state(self) -> None:
            pass


# --- teleoperators ---------------------------------------------------------------------------------------------------


class BrokenTeleoperator(TeleoperatorContract):
    capabilities = frozenset({"calibration", "events", "feedback"})
    teleoperator: ClassVar[Any] = FakeTeleoperator

    @pytest.fixture
    def config(self) -> FakeTeleoperatorConfig:
        return FakeTeleoperatorConfig()

    def make(self, config: Any) -> Any:
        return self.teleoperator(config, prompter=ScriptedPrompter())


class TestNoTeleoperator(BrokenTeleoperator):
    must_fail = "test_it_fulfils_the_protocol"

    class teleoperator(DeviceBase):
        name = "fake"

        def __init__(self, *_: Any, **__: Any) -> None:
            super().__init__()


class TestActionsAppearOnConnect(BrokenTeleoperator):
    must_fail = "test_features_are_known_before_connect"

    class teleoperator(FakeTeleoperator):
        @property
        def action_features(self) -> dict[str, FeatureSpec]:
            return super().action_features if getattr(self, "_connected", False) else {}


class TestCommandsTooLittle(BrokenTeleoperator):
    must_fail = "test_action_equals_its_features"

    class teleoperator(FakeTeleoperator):
        def get_action(self) -> Any:
            action = super().get_action()
            del action["gripper.pos"]
            return action


class TestSharesItsAction(BrokenTeleoperator):
    must_fail = "test_an_action_is_the_callers_own"

    class teleoperator(FakeTeleoperator):
        shared: ClassVar[dict[str, float]] = {}

        def get_action(self) -> Any:
            if not self.shared and not self._actions:
                self.shared.update(super().get_action())
            return self.shared


class TestChangesFeedback(BrokenTeleoperator):
    must_fail = "test_feedback_is_taken"

    class teleoperator(FakeTeleoperator):
        def send_feedback(self, feedback: Any) -> None:
            feedback.clear()


class TestInventsEvents(BrokenTeleoperator):
    must_fail = "test_events_have_the_names_of_the_field"

    class teleoperator(FakeTeleoperator):
        def get_teleop_events(self) -> dict[str, bool]:
            return {"panic": True}


# --- cameras ---------------------------------------------------------------------------------------------------------


class BrokenCamera(CameraContract):
    capabilities = frozenset({"discovery"})
    camera: ClassVar[Any] = FakeCamera

    @pytest.fixture
    def config(self) -> FakeCameraConfig:
        return FakeCameraConfig(width=64, height=48, fps=100)

    def make(self, config: Any) -> Any:
        return self.camera(config)


class TestNoCamera(BrokenCamera):
    must_fail = "test_it_fulfils_the_protocol"

    class camera(DeviceBase):
        name = "fake"

        def __init__(self, *_: Any) -> None:
            super().__init__()


class TestReadsDisconnected(BrokenCamera):
    must_fail = "test_every_read_needs_a_connection"

    class camera(FakeCamera):
        def read_latest(self, max_age_ms: float = 500) -> Any:
            return super().read_latest(max_age_ms) if self.is_connected else None


class TestIgnoresItsSize(BrokenCamera):
    must_fail = "test_pictures_have_the_configured_size"

    class camera(FakeCamera):
        def read(self) -> Any:
            return super().read()[::2]


class TestCountsNothing(BrokenCamera):
    must_fail = "test_frames_are_counted_and_timed"

    class camera(FakeCamera):
        def latest_frame(self) -> Frame:
            frame = super().latest_frame()
            return Frame(frame.image, frame.time_s, 0)


class TestReadsTheBuffer(BrokenCamera):
    must_fail = "test_read_waits_for_a_picture_taken_after_the_call"

    class camera(FakeCamera):
        def read(self) -> Any:
            return self.latest_frame().image


class TestDeliversTwice(BrokenCamera):
    must_fail = "test_async_read_gives_each_picture_once"

    class camera(FakeCamera):
        def async_read(self, timeout_ms: float = 200) -> Any:
            return self.latest_frame().image


class TestGivesOldPictures(BrokenCamera):
    must_fail = "test_read_latest_refuses_old_pictures"

    class camera(FakeCamera):
        def read_latest(self, max_age_ms: float = 500) -> Any:
            return self.latest_frame().image


class TestFindsNameless(BrokenCamera):
    must_fail = "test_cameras_can_be_found"

    class camera(FakeCamera):
        @staticmethod
        def find_cameras() -> list[dict[str, Any]]:
            return [{"id": 0}]


# --- policies --------------------------------------------------------------------------------------------------------


class BrokenPolicy(PolicyContract):
    capabilities = frozenset({"padding"})
    policy_class: ClassVar[Any] = FakePolicy

    @pytest.fixture
    def config(self) -> FakePolicyConfig:
        return FakePolicyConfig()

    @pytest.fixture
    def batch(self) -> dict[str, Any]:
        random = np.random.default_rng(1)
        padding = np.zeros((8, 3), bool)
        padding[2, 1:] = True
        return {
            "observation.state": random.normal(size=(8, 4)).astype(np.float32),
            "action": random.normal(size=(8, 3, 2)).astype(np.float32),
            "action_is_pad": padding,
        }

    @pytest.fixture(autouse=True)
    def _build_broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(FakePolicyConfig, "build", lambda config: self.policy_class(config))


class LossyPolicyConfig(FakePolicyConfig):
    def model_dump_json(self, **_: Any) -> str:
        return super().model_dump_json(exclude={"horizon"})


class TestLossyPolicyConfig(BrokenPolicy):
    must_fail = "test_config_survives_json"

    @pytest.fixture
    def config(self) -> FakePolicyConfig:
        return LossyPolicyConfig(horizon=4)


class TestMisnamedPolicy(BrokenPolicy):
    must_fail = "test_it_fulfils_the_protocol"

    class policy_class(FakePolicy):
        name = "other"


class TestDropsTheBatchAxis(BrokenPolicy):
    must_fail = "test_an_action_per_row"

    class policy_class(FakePolicy):
        def select_action(self, batch: Any) -> Any:
            return super().select_action(batch)[0]


class TestWritesIntoTheBatch(BrokenPolicy):
    must_fail = "test_the_batch_is_not_changed"

    class policy_class(FakePolicy):
        def predict_action_chunk(self, batch: Any) -> Any:
            batch["observation.state"] *= 0.5
            return super().predict_action_chunk(batch)


class TestUnseededPolicy(BrokenPolicy):
    must_fail = "test_the_same_seed_gives_the_same_actions"

    class policy_class(FakePolicy):
        def predict_action_chunk(self, batch: Any) -> Any:
            chunk = super().predict_action_chunk(batch)
            return chunk + np.random.default_rng().normal(size=chunk.shape[1:]).astype(np.float32)


class TestNeverForgets(BrokenPolicy):
    must_fail = "test_reset_forgets_the_episode"

    class policy_class(FakePolicy):
        def reset(self) -> None:
            pass


class TestPredictingQueues(BrokenPolicy):
    must_fail = "test_predicting_leaves_the_queue_alone"

    class policy_class(FakePolicy):
        def predict_action_chunk(self, batch: Any) -> Any:
            self._queue.clear()
            return super().predict_action_chunk(batch)


class TestNormalisesOverTheBatch(BrokenPolicy):
    must_fail = "test_rows_do_not_influence_each_other"

    class policy_class(FakePolicy):
        def predict_action_chunk(self, batch: Any) -> Any:
            chunk = super().predict_action_chunk(batch)
            return chunk - chunk.mean(axis=0)


class TestLossPerRow(BrokenPolicy):
    must_fail = "test_the_loss_is_a_finite_number"

    class policy_class(FakePolicy):
        def forward(self, batch: Any) -> Any:
            return np.zeros(8), {}


class Parameter:
    requires_grad, grad = True, None


class Loss(float):
    def backward(self) -> None:
        pass


class TestDeadParameter(BrokenPolicy):
    must_fail = "test_every_parameter_learns"
    capabilities = frozenset({"padding", "gradients"})

    class policy_class(FakePolicy):
        def forward(self, batch: Any) -> Any:
            return Loss(0.0), {}

        def named_parameters(self) -> Any:
            return [("weight", Parameter())]


class TestLearnsPadding(BrokenPolicy):
    must_fail = "test_padding_does_not_count"

    class policy_class(FakePolicy):
        def forward(self, batch: Any) -> Any:
            return super().forward({**batch, "action_is_pad": np.zeros_like(batch["action_is_pad"])})


class TestLosesWeights(BrokenPolicy):
    must_fail = "test_weights_survive_saving"

    class policy_class(FakePolicy):
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.bias = np.random.normal(size=config.action_dim).astype(np.float32)

        def predict_action_chunk(self, batch: Any) -> Any:
            return super().predict_action_chunk(batch) + self.bias


class TestLoadsLoosely(BrokenPolicy):
    must_fail = "test_a_missing_weight_is_an_error"

    class policy_class(FakePolicy):
        def load_state_dict(self, state_dict: Any) -> None:
            self.weight = state_dict.get("weight", self.weight)


# --- environments ----------------------------------------------------------------------------------------------------


class BrokenEnv(EnvContract):
    env_class: ClassVar[Any] = FakeEnv

    @pytest.fixture
    def config(self) -> FakeEnvConfig:
        return FakeEnvConfig()

    def make(self, config: Any) -> Any:
        return self.env_class(config)


class LossyEnvConfig(FakeEnvConfig):
    def model_dump_json(self, **_: Any) -> str:
        return super().model_dump_json(exclude={"max_steps"})


class TestLossyEnvConfig(BrokenEnv):
    must_fail = "test_config_survives_json"

    @pytest.fixture
    def config(self) -> FakeEnvConfig:
        return LossyEnvConfig(max_steps=7)


class TestNoEnv(BrokenEnv):
    must_fail = "test_it_fulfils_the_protocol"

    class env_class:
        def __init__(self, _: Any) -> None:
            pass

        def close(self) -> None:
            pass


class TestWithoutTask(BrokenEnv):
    must_fail = "test_the_task_is_described"

    class env_class(FakeEnv):
        task_description = " "


class TestOutsideItsSpace(BrokenEnv):
    must_fail = "test_observations_lie_in_their_space"

    class env_class(FakeEnv):
        def reset(self, **kwargs: Any) -> Any:
            observation, info = super().reset(**kwargs)
            return observation.astype(float) * 10, info


class TestSaysNothingOfSuccess(BrokenEnv):
    must_fail = "test_a_step_has_five_parts"

    class env_class(FakeEnv):
        def step(self, action: Any) -> Any:
            return (*super().step(action)[:4], {})


class TestUnseededEnv(BrokenEnv):
    must_fail = "test_the_same_seed_gives_the_same_episode"

    class env_class(FakeEnv):
        def reset(self, **_: Any) -> Any:
            return super().reset(seed=None)


class TestStartsWhereItEnded(BrokenEnv):
    must_fail = "test_the_start_depends_on_the_seed_alone"

    class env_class(FakeEnv):
        resets = 0

        def reset(self, *, seed: int | None = None, **_: Any) -> Any:
            self.resets += 1
            return super().reset(seed=(seed or 0) + self.resets)


class TestIgnoresTheSeed(BrokenEnv):
    must_fail = "test_seeds_differ"

    class env_class(FakeEnv):
        def reset(self, **_: Any) -> Any:
            return super().reset(seed=0)


class TestRendersFloats(BrokenEnv):
    must_fail = "test_it_renders_pictures"

    class env_class(FakeEnv):
        def render(self) -> Any:
            return super().render() / 255


class TestClosesOnce(BrokenEnv):
    must_fail = "test_it_can_be_closed_twice"

    class env_class(FakeEnv):
        closed = False

        def close(self) -> None:
            if self.closed:
                raise OSError("closed already")
            self.closed = True


class TestClaimsGymnasium(BrokenEnv):
    must_fail = "test_gymnasium_accepts_it"
    capabilities = frozenset({"gymnasium"})


# --- processors ------------------------------------------------------------------------------------------------------


class BrokenStep(ProcessorContract):
    step_class: ClassVar[Any] = RenameObservationsProcessorStep

    @pytest.fixture
    def config(self) -> RenameObservationsConfig:
        return RenameObservationsConfig(rename_map={"a": "b"})

    @pytest.fixture
    def transition(self) -> dict[str, Any]:
        return create_transition({"a": np.ones(3, np.float32), "c": 1.0}, {"joint.pos": 2.0})

    def make(self, config: Any) -> Any:
        return self.step_class(config)


class TestNoStep(BrokenStep):
    must_fail = "test_it_fulfils_the_protocol"

    class step_class:
        def __init__(self, _: Any) -> None:
            pass


class TestDropsEntries(BrokenStep):
    must_fail = "test_a_transition_stays_complete"

    class step_class(RenameObservationsProcessorStep):
        def __call__(self, transition: Any) -> Any:
            return {"observation": super().__call__(transition)["observation"], "action": transition["action"]}


class TestWritesInPlace(BrokenStep):
    must_fail = "test_the_transition_given_is_not_changed"

    class step_class(RenameObservationsProcessorStep):
        def __call__(self, transition: Any) -> Any:
            transition["observation"]["a"] *= 2
            return super().__call__(transition)


class TestMisdeclaresFeatures(BrokenStep):
    must_fail = "test_features_describe_the_result"

    class step_class(RenameObservationsProcessorStep):
        def transform_features(self, features: Any) -> Any:
            return features


class TestChangesFeatures(BrokenStep):
    must_fail = "test_features_given_are_not_changed"

    class step_class(RenameObservationsProcessorStep):
        def transform_features(self, features: Any) -> Any:
            result = super().transform_features(features)
            features["observation"].clear()
            return result


class TestSavesTooLittle(BrokenStep):
    must_fail = "test_the_saved_configuration_gives_the_same_step"

    class step_class(RenameObservationsProcessorStep):
        def get_config(self) -> dict[str, Any]:
            return {}


class Counting(ProcessorStep):
    """Adds the number of calls so far; saved as its state unless told otherwise."""

    calls = 0.0

    def __call__(self, transition: Any) -> Any:
        self.calls += 1
        return {**transition, "reward": self.calls}

    def state_dict(self) -> dict[str, Any]:
        return {"calls": np.float32(self.calls)}


class TestLosesState(BrokenStep):
    must_fail = "test_the_saved_state_is_complete"
    capabilities = frozenset({"state"})

    class step_class(Counting):
        def load_state_dict(self, state: Any) -> None:
            pass


class TestRemembersEpisodes(BrokenStep):
    must_fail = "test_reset_starts_over"
    capabilities = frozenset({"state"})
    step_class = Counting


class TestWrongInverse(BrokenStep):
    must_fail = "test_the_inverse_undoes_it"
    capabilities = frozenset({"inverse"})

    class step_class(RenameObservationsProcessorStep):
        def inverse(self) -> Any:
            return self


# --- reward models ---------------------------------------------------------------------------------------------------


class BrokenRewardModel(RewardModelContract):
    model_class: ClassVar[Any] = FakeRewardModel

    @pytest.fixture
    def config(self) -> FakeRewardModelConfig:
        return FakeRewardModelConfig()

    @pytest.fixture
    def frames(self) -> dict[str, Any]:
        return {"observation.state": np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)}

    @pytest.fixture
    def model(self, config: Any) -> Any:
        return self.model_class(config)


class LossyRewardModelConfig(FakeRewardModelConfig):
    def model_dump_json(self, **_: Any) -> str:
        return super().model_dump_json(exclude={"success_from"})


class TestLossyRewardModelConfig(BrokenRewardModel):
    must_fail = "test_config_survives_json"

    @pytest.fixture
    def config(self) -> FakeRewardModelConfig:
        return LossyRewardModelConfig(success_from=0.9)


class TestLooksAtNothing(BrokenRewardModel):
    must_fail = "test_it_fulfils_the_protocol"

    class model_class(FakeRewardModel):
        inputs = ()


class TestWritesIntoFrames(BrokenRewardModel):
    must_fail = "test_a_reward_per_frame"

    class model_class(FakeRewardModel):
        def rewards(self, frames: Any, task: str) -> Any:
            found = super().rewards(frames, task)
            frames["observation.state"][:] = 0
            return found


class TestComparesFramesOfACall(BrokenRewardModel):
    must_fail = "test_frames_one_by_one_are_the_same"

    class model_class(FakeRewardModel):
        def rewards(self, frames: Any, task: str) -> Any:
            self.reset()
            return super().rewards(frames, task)


class TestRemembersTheEpisodeBefore(BrokenRewardModel):
    must_fail = "test_reset_forgets_the_episode"

    class model_class(FakeRewardModel):
        seen = 0.0

        def rewards(self, frames: Any, task: str) -> Any:
            self.seen += 1
            return super().rewards(frames, task) * np.float32(self.seen)


class TestMakesUpWhatIsMissing(BrokenRewardModel):
    must_fail = "test_a_missing_input_is_named"

    class model_class(FakeRewardModel):
        def rewards(self, frames: Any, task: str) -> Any:
            return super().rewards({"observation.state": np.zeros((4, 3), np.float32), **frames}, task)


# --- packages --------------------------------------------------------------------------------------------------------


class BrokenPackage(PluginPackageContract):
    distribution = "lerobot-robot-broken"
    points: ClassVar[dict[str, str]] = {"broken": "lerobot_robot_broken.config:BrokenConfig"}
    config: ClassVar[str] = ""
    fields: ClassVar[str] = 'type: str = "broken"'
    target: ClassVar[str] = "lerobot.core.fake.robot:FakeRobot"
    typed: ClassVar[bool] = True
    regular: ClassVar[bool] = False
    metadata_text: ClassVar[str] = "Summary: A robot.\nLicense: MIT\nProject-URL: Source, https://example.org\n"
    readme: ClassVar[str] = "pip install lerobot-robot-broken"
    api: ClassVar[str] = f"[lerobot.plugin_api]\n{PLUGIN_API} = lerobot_robot_broken\n"

    @pytest.fixture(autouse=True)
    def _install(self, tmp_plugin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        source = (
            f"{self.config}\nfrom lerobot.core.config import RobotConfig\n\n"
            f'class BrokenConfig(RobotConfig):\n    target = "{self.target}"\n    {self.fields}\n'
        )
        modules = {"lerobot_robot_broken.__init__": "", "lerobot_robot_broken.config": source}
        info = tmp_plugin.install(self.distribution, {"robot": self.points}, modules)
        with (info / "METADATA").open("a", encoding="utf-8") as file:
            file.write(f"{self.metadata_text}\n{self.readme}\n")
        with (info / "entry_points.txt").open("a", encoding="utf-8") as file:
            file.write(f"\n{self.api}")
        if self.regular:
            (info / "RECORD").write_text("lerobot/__init__.py,,\n", encoding="utf-8")
            (tmp_plugin.folder / "lerobot").mkdir()
            (tmp_plugin.folder / "lerobot" / "__init__.py").touch()
        if self.typed:
            (tmp_plugin.folder / "lerobot_robot_broken" / "py.typed").touch()
        # The subprocess of the lightness test must see the package too.
        monkeypatch.setenv("PYTHONPATH", str(tmp_plugin.folder))


class TestSoundPackage(BrokenPackage):
    must_fail = ""


class TestRegistersNothing(BrokenPackage):
    must_fail = "test_it_registers_something"
    points: ClassVar[dict[str, str]] = {}


class TestDeclaresNoPluginApi(BrokenPackage):
    must_fail = "test_the_plugin_api_is_declared"
    api = ""


class TestPointsNowhere(BrokenPackage):
    must_fail = "test_every_entry_point_resolves"
    points: ClassVar[dict[str, str]] = {"broken": "lerobot_robot_broken.config:Missing"}


class TestTargetsNowhere(BrokenPackage):
    must_fail = "test_every_implementation_can_be_imported"
    target = "lerobot.core.fake.robot:NoSuchRobot"


class TestTwoNames(BrokenPackage):
    must_fail = "test_names_agree"
    fields = 'type: str = "other"'


class TestHeavyConfig(BrokenPackage):
    must_fail = "test_configurations_are_light"
    config = "import numpy"


class TestClosesTheNamespace(BrokenPackage):
    must_fail = "test_the_namespace_stays_open"
    regular = True


class TestUntypedPackage(BrokenPackage):
    must_fail = "test_types_are_published"
    typed = False


class TestUndocumentedPackage(BrokenPackage):
    must_fail = "test_it_can_be_found_and_read_about"
    readme = "Ask the author how to install it."
