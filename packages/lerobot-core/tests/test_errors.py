"""The error tree: texts, fields, builtins, pickling."""

import builtins
import pickle

import pytest

from lerobot.core import errors


def test_a_text_says_what_was_expected_and_what_to_do() -> None:
    error = errors.LeRobotError("port '/dev/x' is missing", expected="a serial port", hint="lerobot find-port")
    assert str(error).splitlines() == ["port '/dev/x' is missing", "  expected: a serial port", "  lerobot find-port"]


def test_a_text_without_hint_is_one_line() -> None:
    assert str(errors.DatasetError("episode 7 does not exist")) == "episode 7 does not exist"


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.PluginNotFoundError, LookupError),
        (errors.PluginLoadError, ImportError),
        (errors.ConfigError, ValueError),
        (errors.FeatureMismatchError, ValueError),
        (errors.NotConnectedError, ConnectionError),
        (errors.AlreadyConnectedError, ConnectionError),
        (errors.DeviceTimeoutError, TimeoutError),
        (errors.CalibrationError, ValueError),
    ],
)
def test_errors_are_caught_as_the_builtin_they_are(error: type, builtin: type) -> None:
    assert issubclass(error, builtin)
    assert issubclass(error, errors.LeRobotError)


def test_every_error_of_the_module_belongs_to_the_tree() -> None:
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert len(classes) > 10
    assert all(issubclass(cls, errors.LeRobotError) for cls in classes if cls.__name__ not in dir(builtins))


def test_a_plugin_error_survives_a_process_boundary() -> None:
    error = errors.PluginLoadError("robot 'x' broke", kind="robot", name="x", candidates=["y"], hint="do this")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_a_config_error_lists_one_line_a_problem() -> None:
    problems = [
        errors.ConfigProblem("--fps", "fast", "a number > 0"),
        errors.ConfigProblem("run.yaml:3 robot.prt", "x", "a known key", "did you mean 'port'?"),
        errors.ConfigProblem("--robot.port", None, "text"),
    ]
    error = errors.ConfigError(problems)
    assert str(error).splitlines() == [
        "--fps: got 'fast', expected a number > 0",
        "run.yaml:3 robot.prt: got 'x', expected a known key (did you mean 'port'?)",
        "--robot.port: expected text",
    ]
    assert pickle.loads(pickle.dumps(error)).problems == tuple(problems)
