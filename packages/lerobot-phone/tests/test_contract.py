"""The contract of teleoperators, of the step, and of the package."""

from typing import Any

import numpy as np
import pytest

from lerobot.core.testing import PluginPackageContract, TeleoperatorContract
from lerobot.phone.config import PhoneConfig


class TestPhone(TeleoperatorContract):
    @pytest.fixture
    def config(self) -> PhoneConfig:
        return PhoneConfig(phone_os="android", port=0)


class TestPackage(PluginPackageContract):
    distribution = "lerobot-phone"


def test_fields_and_defaults_are_the_documented_ones() -> None:
    config = PhoneConfig()
    assert config.phone_os == "ios"
    assert config.camera_offset == (0.0, -0.02, 0.04)
    assert (config.host, config.port) == ("127.0.0.1", 4443)


def test_certificate_and_key_go_together(tmp_path: Any) -> None:
    with pytest.raises(ValueError, match="tls_cert and tls_key together"):
        PhoneConfig(tls_cert=tmp_path / "c.pem")


def test_without_a_phone_nothing_is_enabled(phone: Any) -> None:
    action = phone.get_action()
    assert not action["phone.enabled"]
    assert not np.any(action["phone.pos"])
