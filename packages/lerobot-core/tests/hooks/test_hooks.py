"""Hooks: each is called with its documented arguments, and none can harm the run."""

import inspect
import logging
import sys
from pathlib import Path
from types import ModuleType

import pytest

from lerobot.core.errors import PluginLoadError
from lerobot.core.hooks import SPECS, Hooks, hookimpl, load_hooks, tell_run
from lerobot.core.installation import Fact
from lerobot.core.registry import Discovered, registry
from lerobot.core.types import EpisodeInfo, JointTravel


class Listener:
    """Implements every hook and writes down what it was given."""

    def __init__(self):
        self.calls = []

    @hookimpl
    def run_start(self, command, config):
        self.calls.append((command, config))

    @hookimpl
    def run_end(self, command, error):
        self.calls.append((command, error))

    @hookimpl
    def calibration_progress(self, joints):
        self.calls.append(joints)

    @hookimpl
    def episode_start(self, episode):
        self.calls.append(episode)

    @hookimpl
    def episode_end(self, episode):
        self.calls.append(episode)

    @hookimpl
    def action_sent(self, requested, sent, time_s):
        self.calls.append((requested, sent, time_s))

    @hookimpl
    def control_tick(self, tick):
        self.calls.append(tick)

    @hookimpl
    def train_step(self, step, metrics):
        self.calls.append((step, metrics))

    @hookimpl
    def evaluation_done(self, step, results):
        self.calls.append((step, results))

    @hookimpl
    def checkpoint_saved(self, step, path):
        self.calls.append((step, path))

    @hookimpl
    def examine_installation(self, tell):
        tell(Fact("disk", "full"))


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def hooks(listener):
    hooks = Hooks()
    hooks.register(listener, "listener")
    return hooks


def test_run_start(hooks, listener):
    hooks.call("run_start", command="record", config={"fps": 30})
    assert listener.calls == [("record", {"fps": 30})]


def test_run_end(hooks, listener):
    error = ValueError("x")
    with pytest.raises(ValueError, match="x"), hooks.run("record", None):
        raise error
    assert listener.calls == [("record", None), ("record", error)]


def test_calibration_progress_reaches_the_run_in_progress_and_no_other(hooks, listener):
    joints = {"elbow": JointTravel(-3, 5, 9, 4096)}
    tell_run("calibration_progress", joints=joints)
    with hooks.run("calibrate", None), Hooks().run("inner", None):
        tell_run("calibration_progress", joints=joints)
    with hooks.run("calibrate", None):
        tell_run("calibration_progress", joints=joints)
    tell_run("calibration_progress", joints=joints)
    assert listener.calls.count(joints) == 1


@pytest.mark.parametrize("hook", ["episode_start", "episode_end"])
def test_episode_start_and_episode_end(hooks, listener, hook):
    episode = EpisodeInfo(3, "pick the cube")
    hooks.call(hook, episode=episode)
    assert listener.calls == [episode]


def test_action_sent(hooks, listener):
    hooks.call("action_sent", requested={"a": 2.0}, sent={"a": 1.0}, time_s=4.0)
    assert listener.calls == [({"a": 2.0}, {"a": 1.0}, 4.0)]


def test_control_tick(hooks, listener):
    hooks.call("control_tick", tick="tick")
    assert listener.calls == ["tick"]


def test_train_step(hooks, listener):
    hooks.call("train_step", step=1, metrics={"loss": 0.5})
    assert listener.calls == [(1, {"loss": 0.5})]


def test_evaluation_done(hooks, listener):
    hooks.call("evaluation_done", step=None, results={"success_rate": 0.5})
    assert listener.calls == [(None, {"success_rate": 0.5})]


def test_checkpoint_saved(hooks, listener):
    hooks.call("checkpoint_saved", step=10, path=Path("last"))
    assert listener.calls == [(10, Path("last"))]


def test_examine_installation(hooks):
    facts = []
    hooks.call("examine_installation", tell=facts.append)
    assert facts == [Fact("disk", "full")]


def test_every_hook_is_documented_and_has_a_test():
    tests = [name for name in globals() if name.startswith("test_")]
    for name in Hooks().names():
        spec = next(vars(group)[name] for group in SPECS if name in vars(group))
        assert any(name in test for test in tests), name
        for argument in list(inspect.signature(spec).parameters)[1:]:
            assert f"{argument}:" in inspect.getdoc(spec), f"{name}({argument})"
    assert len(Hooks().names()) <= 15


# --- harm ------------------------------------------------------------------------------------------------------------


class Broken:
    def __init__(self):
        self.calls = 0

    @hookimpl
    def control_tick(self, tick):
        self.calls += 1
        raise ZeroDivisionError("inside the plugin")

    @hookimpl
    def run_start(self, command):
        self.calls += 100


def test_a_failing_hook_is_reported_once_and_switched_off(hooks, listener, caplog):
    broken = Broken()
    hooks.register(broken, "tracker")
    for tick in range(3):
        hooks.call("control_tick", tick=tick)
    assert broken.calls == 1
    assert listener.calls == [0, 1, 2]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    for part in ("control_tick", "tracker", "inside the plugin"):
        assert part in caplog.text


def test_other_hooks_of_a_failing_plugin_go_on(hooks):
    broken = Broken()
    hooks.register(broken, "tracker")
    hooks.call("control_tick", tick=0)
    hooks.call("run_start", command="record", config=None)
    assert broken.calls == 101


def test_an_interrupt_in_a_hook_is_not_swallowed(hooks):
    class Interrupting:
        @hookimpl
        def control_tick(self, tick):
            raise KeyboardInterrupt

    hooks.register(Interrupting(), "x")
    with pytest.raises(KeyboardInterrupt):
        hooks.call("control_tick", tick=0)


def test_a_slow_hook_is_reported_once_and_counted(hooks, caplog):
    hooks.budget_s = 0.0
    with caplog.at_level(logging.WARNING):
        for tick in range(3):
            hooks.call("control_tick", tick=tick)
        # Between turns of the loop there is time.
        hooks.call("run_start", command="record", config=None)
    assert hooks.slow == {"listener.control_tick": 3}
    assert len(caplog.records) == 1


def test_calls_can_be_traced(monkeypatch, capsys, listener):
    monkeypatch.setenv("LEROBOT_TRACE_HOOKS", "1")
    hooks = Hooks()
    hooks.register(listener, "listener")
    hooks.call("control_tick", tick=0)
    assert "control_tick -> listener" in capsys.readouterr().err


def test_a_typo_in_a_hook_name_names_plugin_and_nearest_hook(hooks):
    class Typo:
        @hookimpl
        def control_tik(self, tick):
            """Never called."""

        @hookimpl
        def run_start(self, command):
            raise AssertionError("a refused plugin is not called")

    with pytest.raises(PluginLoadError) as caught:
        hooks.register(Typo(), "tracker")
    assert caught.value.name == "tracker"
    assert caught.value.candidates == ("control_tick",)
    assert "control_tik" in str(caught.value)
    hooks.call("run_start", command="x", config=None)


def test_an_argument_the_hook_does_not_have_is_refused(hooks):
    class Wrong:
        @hookimpl
        def control_tick(self, tick, weather):
            """Never called."""

    with pytest.raises(PluginLoadError, match="weather"):
        hooks.register(Wrong(), "tracker")
    hooks.call("control_tick", tick=0)


def test_a_refused_plugin_leaves_no_trace(hooks):
    class Typo:
        @hookimpl
        def control_tik(self, tick):
            """Never called."""

    repaired = Listener()
    with pytest.raises(PluginLoadError):
        hooks.register(Typo(), "tracker")
    hooks.register(repaired, "tracker")
    hooks.call("control_tick", tick=0)
    assert repaired.calls == [0]


def test_wrappers_are_refused(hooks, listener):
    class Wrapper:
        @hookimpl(wrapper=True)
        def control_tick(self, tick):
            return (yield)

    with pytest.raises(PluginLoadError, match="only observe"):
        hooks.register(Wrapper(), "tracker")
    hooks.call("control_tick", tick=0)
    assert listener.calls == [0]


# --- discovery -------------------------------------------------------------------------------------------------------


@pytest.fixture
def installed(monkeypatch):
    """Pretend that modules are installed as hook plugins: name -> (value, module attributes)."""

    def install(**plugins):
        found = []
        for name, (value, attributes) in plugins.items():
            module = ModuleType(value.partition(":")[0])
            vars(module).update(attributes)
            monkeypatch.setitem(sys.modules, module.__name__, module)
            found.append(Discovered("hooks", name, value, f"dist-{name}", "1.0"))
        monkeypatch.setattr(registry, "_installed", found)
        monkeypatch.setattr(registry, "_loaded", {})

    return install


def test_objects_classes_and_modules_are_plugins(installed):
    seen = []

    @hookimpl
    def control_tick(tick):
        seen.append(tick)

    class Class(Listener):
        @hookimpl
        def control_tick(self, tick):
            seen.append(tick)

    installed(
        module=("fake_hooks_a", {"control_tick": control_tick}),
        thing=("fake_hooks_b:plugin", {"plugin": Class()}),
        factory=("fake_hooks_c:Plugin", {"Plugin": Class}),
    )
    hooks = load_hooks()
    hooks.call("control_tick", tick=7)
    assert seen == [7, 7, 7]
    assert hooks.broken == []


def test_a_plugin_that_cannot_be_loaded_is_reported_and_left_out(installed, listener, caplog):
    installed(missing=("fake_hooks_a:nothing", {}), good=("fake_hooks_b:plugin", {"plugin": listener}))
    registry._installed.append(Discovered("hooks", "gone", "no_such_module_anywhere", "dist-gone", "1.0"))
    hooks = load_hooks()
    hooks.call("control_tick", tick=1)
    assert listener.calls == [1]
    assert [error.name for error in hooks.broken] == ["missing", "gone"]
    assert "no_such_module_anywhere" in caplog.text


def test_two_distributions_may_use_the_same_name(monkeypatch, installed, listener):
    installed(a=("fake_hooks_a:plugin", {"plugin": Listener()}), b=("fake_hooks_b:plugin", {"plugin": listener}))
    same = [Discovered("hooks", "tracker", found.value, found.distribution, "1.0") for found in registry._installed]
    monkeypatch.setattr(registry, "_installed", same)
    hooks = load_hooks()
    hooks.call("control_tick", tick=1)
    assert listener.calls == [1]
    assert hooks.broken == []


def test_no_plugins_cost_nothing(installed):
    installed()
    assert load_hooks().names() == Hooks().names()
