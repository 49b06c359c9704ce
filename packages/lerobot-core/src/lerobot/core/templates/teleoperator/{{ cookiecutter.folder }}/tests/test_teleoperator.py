"""The contract of teleoperators, and what is special about this one."""

import pytest
from lerobot.core.errors import DeviceConnectionError
from lerobot.core.testing import TeleoperatorContract

from {{ cookiecutter.package }}.config import {{ cookiecutter.class_name }}Config
from {{ cookiecutter.package }}.teleoperator import {{ cookiecutter.class_name }}


class TestContract(TeleoperatorContract):
    @pytest.fixture
    def config(self) -> {{ cookiecutter.class_name }}Config:
        return {{ cookiecutter.class_name }}Config()


def test_a_wrong_port_is_named() -> None:
    teleoperator = {{ cookiecutter.class_name }}({{ cookiecutter.class_name }}Config(port="/dev/nowhere"))
    with pytest.raises(DeviceConnectionError, match="/dev/nowhere"):
        teleoperator.connect()


def test_a_turned_handle_turns_every_joint(monkeypatch: pytest.MonkeyPatch) -> None:
    with {{ cookiecutter.class_name }}({{ cookiecutter.class_name }}Config()) as teleoperator:
        monkeypatch.setattr(teleoperator.bus, "read", lambda: 1.0)
        action = teleoperator.get_action()
    assert action["elbow_flex.pos"] == 30.0
    assert action["gripper.pos"] == 100.0
