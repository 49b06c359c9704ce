"""The contract of robots, and what is special about this one."""

import pytest
from lerobot.core.errors import DeviceConnectionError
from lerobot.core.testing import RobotContract

from {{ cookiecutter.package }}.config import {{ cookiecutter.class_name }}Config
from {{ cookiecutter.package }}.robot import {{ cookiecutter.class_name }}


class TestContract(RobotContract):
    @pytest.fixture
    def config(self) -> {{ cookiecutter.class_name }}Config:
        return {{ cookiecutter.class_name }}Config()

    def in_safe_state(self, robot: {{ cookiecutter.class_name }}) -> bool:
        return not robot.bus.torque


def test_a_wrong_port_is_named() -> None:
    robot = {{ cookiecutter.class_name }}({{ cookiecutter.class_name }}Config(port="/dev/nowhere"))
    with pytest.raises(DeviceConnectionError, match="/dev/nowhere"):
        robot.connect()


def test_an_arm_without_torque_stays_where_it_is() -> None:
    with {{ cookiecutter.class_name }}({{ cookiecutter.class_name }}Config()) as robot:
        robot.enter_safe_state()
        before = robot.get_observation()
        robot.send_action({"elbow_flex.pos": 90.0})
        assert robot.get_observation() == before
