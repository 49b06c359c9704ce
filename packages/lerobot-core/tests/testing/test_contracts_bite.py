"""The kit fails for broken plugins: each fault is found by the standard test that is there for it, and by a failure."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lerobot.core.testing import contracts
from lerobot.core.testing.contracts import camera, env, package, policy, processor, reward_model, robot, teleoperator

BROKEN = Path(__file__).with_name("broken_plugins.py")

RUN = """
import json, sys, pytest

class Recorder:
    def __init__(self):
        self.outcomes, self.wanted = {}, {}
    def pytest_collection_modifyitems(self, items):
        for item in items:
            self.wanted[item.cls.__name__] = item.cls.must_fail
    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            suite, test = report.nodeid.split("::")[1:]
            text = str(report.longrepr or "")[-2000:]
            self.outcomes.setdefault(suite, {})[test.partition("[")[0]] = (report.outcome, text)

recorder = Recorder()
options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-k", sys.argv[3]]
pytest.main([sys.argv[1], *options], plugins=[recorder])
json.dump({"outcomes": recorder.outcomes, "wanted": recorder.wanted}, open(sys.argv[2], "w"))
"""


def faults() -> dict[str, str]:
    """Broken suites by name, with the test each must fail; read as text so that pytest does not collect them here."""
    found, suite = {}, ""
    for line in BROKEN.read_text(encoding="utf-8").splitlines():
        if line.startswith("class Test"):
            suite = line.removeprefix("class ").partition("(")[0]
        if line.startswith("    must_fail = "):
            found[suite] = line.partition('"')[2].rstrip('"')
    return found


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[str]]]:
    result = tmp_path_factory.mktemp("bite") / "result.json"
    chosen = " or ".join(sorted({f"({suite} and {test})" if test else suite for suite, test in faults().items()}))
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(BROKEN), str(result), chosen], capture_output=True, text=True, check=False
    )
    assert result.exists(), done.stdout + done.stderr
    recorded = json.loads(result.read_text(encoding="utf-8"))
    assert recorded["wanted"] == faults()
    return recorded["outcomes"]


@pytest.mark.parametrize(("suite", "test"), [(suite, test) for suite, test in faults().items() if test])
def test_a_fault_is_found(outcomes: dict[str, dict[str, list[str]]], suite: str, test: str) -> None:
    outcome, text = outcomes[suite][test]
    assert outcome == "failed", f"{suite} has a fault that {test} does not find: {text}"


def test_a_sound_package_passes(outcomes: dict[str, dict[str, list[str]]]) -> None:
    assert not {test: text for test, (outcome, text) in outcomes["TestSoundPackage"].items() if outcome != "passed"}


@pytest.mark.parametrize(
    "contract",
    [
        robot.RobotContract,
        teleoperator.TeleoperatorContract,
        camera.CameraContract,
        policy.PolicyContract,
        env.EnvContract,
        processor.ProcessorContract,
        reward_model.RewardModelContract,
        package.PluginPackageContract,
    ],
)
def test_every_standard_test_has_a_fault_it_finds(contract: type) -> None:
    tests = {name for name in dir(contract) if name.startswith("test_")}
    assert tests
    assert not tests - set(faults().values())


def test_every_standard_test_says_how_to_repair_it() -> None:
    for module in (robot, teleoperator, camera, policy, env, processor, reward_model, package):
        for name, cls in inspect.getmembers(module, inspect.isclass):
            if cls.__module__.startswith(contracts.__name__):
                for test, function in inspect.getmembers(cls, inspect.isfunction):
                    assert not test.startswith("test_") or "Repair:" in (function.__doc__ or ""), f"{name}.{test}"
