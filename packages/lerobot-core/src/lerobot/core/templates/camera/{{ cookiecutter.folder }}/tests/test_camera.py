"""The contract of cameras, and what is special about this one."""

import pytest
from lerobot.core.errors import DeviceConnectionError, DeviceError
from lerobot.core.testing import CameraContract

from {{ cookiecutter.package }}.camera import {{ cookiecutter.class_name }}
from {{ cookiecutter.package }}.config import {{ cookiecutter.class_name }}Config


class TestContract(CameraContract):
    capabilities = frozenset({"discovery"})

    @pytest.fixture
    def config(self) -> {{ cookiecutter.class_name }}Config:
        return {{ cookiecutter.class_name }}Config(width=64, height=48, fps=60)


def test_a_camera_that_is_not_there_is_named() -> None:
    camera = {{ cookiecutter.class_name }}({{ cookiecutter.class_name }}Config(serial_number="1234"))
    with pytest.raises(DeviceConnectionError, match="1234"):
        camera.connect()


def test_a_failing_camera_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: {{ cookiecutter.class_name }}, number: int) -> None:
        raise OSError("unplugged")

    monkeypatch.setattr({{ cookiecutter.class_name }}, "capture", fail)
    with pytest.raises(DeviceError, match="unplugged"):
        {{ cookiecutter.class_name }}({{ cookiecutter.class_name }}Config()).connect()


def test_every_found_camera_can_be_opened() -> None:
    for found in {{ cookiecutter.class_name }}.find_cameras():
        with {{ cookiecutter.class_name }}.from_discovery(found) as camera:
            assert camera.read().ndim == 3
