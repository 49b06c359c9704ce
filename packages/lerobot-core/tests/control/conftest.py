"""A clock that tests move, and an arm that does what it is told at once."""

import pytest

from lerobot.core.types import FeatureSpec, Observation, Stamp


class VirtualClock:
    """Time passes only when somebody sleeps or works."""

    def __init__(self, start=100.0):
        self.time = start

    def now(self):
        return self.time

    def sleep_until(self, deadline):
        self.time = max(self.time, deadline)

    def work(self, seconds):
        self.time += seconds


class Arm:
    """One joint and, if wanted, a camera that counts its frames."""

    safe_state = "torque off"

    def __init__(self, clock, camera_hz=None):
        self.clock = clock
        self.camera_hz = camera_hz
        self.position = 0.0
        self.log = []
        self.is_connected = True
        self.action_features = {"joint.pos": FeatureSpec(unit="deg", range=(-90, 90), max_velocity=180)}
        self.observation_features = self.action_features

    def get_observation(self):
        now = self.clock.now()
        observation = Observation({"joint.pos": self.position}, {"joint.pos": Stamp(now)})
        if self.camera_hz:
            number = int((now - 100.0) * self.camera_hz + 1e-6)
            observation["front"] = f"picture {number}"
            observation.stamps["front"] = Stamp(100.0 + number / self.camera_hz, number)
        return observation

    def send_action(self, action):
        self.log.append(action)
        self.position = action["joint.pos"]
        return dict(action)


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def arm(clock):
    return Arm(clock)


@pytest.fixture
def arm_with_camera(clock):
    return Arm(clock, camera_hz=30)


@pytest.fixture
def virtual_clock():
    """The class, for tests that need a new clock for each example."""
    return VirtualClock


@pytest.fixture
def virtual_arm():
    """The class, for tests that need a new arm for each example."""
    return Arm
