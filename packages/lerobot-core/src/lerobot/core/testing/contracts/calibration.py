"""Calibration, as robots and teleoperators have it."""

from pathlib import Path
from typing import Any, ClassVar

from lerobot.core.config.base import PluginConfig
from lerobot.core.testing.contracts.device import DeviceContract


class CalibratableContract(DeviceContract):
    """Devices with a calibration. Override `run_calibration` if joints must move while ranges are recorded."""

    optional: ClassVar[dict[str, str]] = {"calibration": "`calibrate()` writes a calibration file"}

    def run_calibration(self, device: Any) -> None:
        """Calibrate; Enter answers every question."""
        device.calibrate()

    def test_calibration_survives_a_restart(self, config: PluginConfig, lerobot_home: Path) -> None:
        """A calibration is stored, and a new object connected without calibrating finds and accepts it.

        Repair: write the file under `calibration_path(...)` (or `config.calibration_dir`) in `calibrate`, read it in
        `connect`, and let `is_calibrated` compare it with what the device holds. Declare `capabilities =
        {"calibration"}`; a device that needs none leaves it out, writes no file and is always calibrated.
        """
        folder = lerobot_home / "contract-calibration"
        config = config.model_copy(update={"calibration_dir": folder, "id": "contract"})
        first = self.make(config)
        first.connect(calibrate=False)
        try:
            self.run_calibration(first)
            assert first.is_calibrated
        finally:
            first.disconnect()
        written = list(lerobot_home.rglob("*.json"))
        self.require("calibration", bool(written))
        assert all(file.is_relative_to(folder) for file in written), "`calibration_dir` is not respected"
        assert all(file.stem.startswith("contract") for file in written), "the file is not named after the id"
        before = {file: file.read_bytes() for file in written}
        second = self.make(config)
        second.connect(calibrate=False)
        try:
            assert second.is_calibrated
        finally:
            second.disconnect()
        assert {file: file.read_bytes() for file in written} == before, "connecting changed the calibration file"

    def test_configure_may_be_repeated(self, connected: Any) -> None:
        """`configure` can be called on a connected device at any time.

        Repair: let it write settings only; it must not depend on a state that it changes.
        """
        connected.configure()
        connected.configure()
        self.use(connected)
