"""The contracts of processor steps and of packages."""

import numpy as np
import pytest

from lerobot.core.processors import create_transition
from lerobot.core.testing import PluginPackageContract, ProcessorContract
from lerobot.kinematics import config as c

SO101 = c.KinematicsConfig(urdf_path="so101")
NAMES = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
JOINTS = dict(zip([f"{name}.pos" for name in NAMES], [10.0, -40.0, 40.0, 60.0, 5.0, 30.0], strict=True))
POSE = {"ee.x": 0.3, "ee.y": 0.0, "ee.z": 0.1, "ee.wx": 0.0, "ee.wy": 1.5, "ee.wz": 0.0, "ee.gripper_pos": 20.0}
TARGET = {"enabled": True, **{f"target_{axis}": 0.5 for axis in ("x", "y", "z", "wx", "wy", "wz")}, "gripper_vel": 1.0}
DELTAS = {"delta_x": 1.0, "delta_y": -1.0, "delta_z": 0.0, "gripper": 2.0}


class TestForward(ProcessorContract):
    @pytest.fixture
    def config(self):
        return c.ForwardKinematicsConfig(kinematics=SO101)

    @pytest.fixture
    def transition(self):
        return create_transition({**JOINTS, "front": np.zeros((4, 4, 3), np.uint8)}, dict(JOINTS))


class TestForwardObservation(TestForward):
    @pytest.fixture
    def config(self):
        return c.ForwardKinematicsObservationConfig(kinematics=SO101, motor_names=list(NAMES))


class TestForwardAction(TestForward):
    @pytest.fixture
    def config(self):
        return c.ForwardKinematicsActionConfig(kinematics=SO101, keep_joints=True)


class TestReference(ProcessorContract):
    @pytest.fixture
    def config(self):
        return c.EEReferenceAndDeltaConfig(
            kinematics=SO101, end_effector_step_sizes=c.StepSizes(x=0.01, y=0.02, z=0.03), use_latched_reference=False
        )

    @pytest.fixture
    def transition(self):
        return create_transition(dict(JOINTS), dict(TARGET))


class TestInverse(ProcessorContract):
    @pytest.fixture
    def config(self):
        return c.InverseKinematicsConfig(kinematics=SO101, initial_guess_current_joints=False)

    @pytest.fixture
    def transition(self):
        return create_transition(dict(JOINTS), dict(POSE))


class TestInverseRL(TestInverse):
    @pytest.fixture
    def config(self):
        return c.InverseKinematicsRLConfig(kinematics=SO101)


class TestDeltas(ProcessorContract):
    @pytest.fixture
    def config(self):
        return c.EEDeltasToJointsConfig(kinematics=SO101, heading_deg=90)

    @pytest.fixture
    def transition(self):
        return create_transition(dict(JOINTS), dict(DELTAS))


class TestPackage(PluginPackageContract):
    distribution = "lerobot-kinematics"
