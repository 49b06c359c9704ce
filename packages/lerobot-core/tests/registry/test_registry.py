"""Plugins are found from metadata, imported on demand, and explained when they are missing or broken."""

import sys
from pathlib import Path

import pytest

from lerobot.core.config import RobotConfig
from lerobot.core.errors import (
    DuplicatePluginError,
    PluginLoadError,
    PluginNotFoundError,
    PluginNotInstalledError,
)
from lerobot.core.registry import KINDS, Registry, kind_of
from lerobot.core.registry.catalog import (
    install_hint,
    known_plugins,
    packages_here,
    third_party_packages,
    third_party_plugins,
)
from lerobot.core.registry.discovery import canonical, third_party_kind
from lerobot.core.testing.plugins import PluginFolder

MODULE = """
from typing import ClassVar
from lerobot.core.config import RobotConfig
class Config(RobotConfig):
    target: ClassVar[str] = "thing_impl:Thing"
"""


@pytest.fixture
def installed(plugins: PluginFolder) -> Registry:
    plugins.install("lerobot-robot-thing", {"robot": {"thing": "thing_config:Config"}}, {"thing_config": MODULE})
    return Registry()


def test_listing_imports_nothing(installed: Registry) -> None:
    assert "thing" in installed.names("robot")
    assert "thing_config" not in sys.modules


def test_a_name_leads_to_its_class_without_the_implementation(installed: Registry) -> None:
    cls = installed.config_class("robot", "thing")
    assert issubclass(cls, RobotConfig)
    assert installed.find("robot", "thing").distribution == "lerobot-robot-thing"
    with pytest.raises(PluginLoadError, match="No module named 'thing_impl'"):
        installed.implementation(cls(type="thing"))


def test_each_broken_plugin_shows_its_real_cause(broken: PluginFolder, broken_plugin: tuple[str, str, str]) -> None:
    name, distribution, cause = broken_plugin
    registry = Registry()
    with pytest.raises(PluginLoadError) as caught:
        registry.config_class("robot", name)
    assert caught.value.distribution == distribution
    assert cause in str(caught.value)
    assert registry.check(registry.find("robot", name)) is not None


def test_the_others_go_on_working(broken: PluginFolder) -> None:
    registry = Registry()
    assert registry.config_class("robot", "good").__name__ == "Config"
    assert {"good", "needy", "typo", "lost", "twin", "fake"} <= set(registry.names("robot"))


def test_two_claims_of_a_name_are_both_named(broken: PluginFolder) -> None:
    registry = Registry()
    with pytest.raises(DuplicatePluginError) as caught:
        registry.config_class("robot", "twin")
    assert caught.value.candidates == ("twin-a:twin", "twin-b:twin")
    assert registry.config_class("robot", "twin-b:twin").__module__ == "twin_b"


def test_damaged_metadata_is_reported_and_hides_nothing(broken: PluginFolder) -> None:
    registry = Registry()
    damaged = {entry.distribution: entry.cause for entry in registry.damaged()}
    assert any("damaged" in name for name in damaged), damaged
    assert any("bad-points" in name or "bad_points" in name for name in damaged), damaged
    assert "good" in registry.names("robot")


def test_an_unknown_name_is_answered_with_the_nearest(installed: Registry) -> None:
    with pytest.raises(PluginNotFoundError) as caught:
        installed.config_class("robot", "thingg")
    assert caught.value.candidates[0] == "thing"
    assert caught.value.hint == "Did you mean 'thing'?"


def test_a_known_package_is_answered_with_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEROBOT_PLUGINS", "lerobot-core")
    with pytest.raises(PluginNotInstalledError, match=r"uv pip install \./packages/lerobot-so100") as caught:
        Registry().config_class("robot", "so101_follower")
    assert caught.value.distribution == "lerobot-so100"


def test_nobody_is_sent_to_a_package_index_for_a_name_that_others_may_claim_there() -> None:
    for kind in KINDS:
        for known in known_plugins(kind).values():
            assert not known.distribution or known.distribution in packages_here()
    for name in packages_here():
        assert f"uv pip install ./packages/{name}" in install_hint(name)
    assert install_hint("lerobot-wall-x") == "lerobot-wall-x is not here yet: there is nothing to install."


def test_what_only_the_peer_has_is_said_to_be_known_and_names_no_package(installed: Registry) -> None:
    with pytest.raises(PluginNotInstalledError) as caught:
        installed.config_class("policy", "wall_x")
    assert str(caught.value) == "policy 'wall_x' is known to huggingface/lerobot, not here yet."
    assert caught.value.distribution is None


def test_packages_of_others_are_known_with_owner_and_place() -> None:
    packages = third_party_packages()
    assert list(packages) == sorted(packages)
    for name, package in packages.items():
        assert name == canonical(name)
        assert third_party_kind(name), name
        assert name not in packages_here()
        assert package.owner
        assert package.summary.endswith(".")
        assert package.place == "package index" or package.place.startswith("https://github.com/"), name
        assert set(package.types) <= set(KINDS)
    for kind in KINDS:
        assert not set(third_party_plugins(kind)) & set(known_plugins(kind)), "a name would have two answers"


def test_a_type_that_others_provide_is_answered_with_the_line_that_adds_it(installed: Registry) -> None:
    with pytest.raises(PluginNotInstalledError) as caught:
        installed.config_class("robot", "ugo_nova")
    assert caught.value.distribution == "lerobot-robot-ugo-nova"
    assert caught.value.hint == "Install it: lerobot plugins add lerobot-robot-ugo-nova"


def test_an_editable_install_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As uv writes it: metadata and a .pth in site-packages, the modules in the project's own folder."""
    import site

    project, packages = tmp_path / "project/src", tmp_path / "site-packages"
    project.mkdir(parents=True)
    (project / "my_robot.py").write_text(MODULE)
    info = packages / "my_robot-0.1.0.dist-info"
    info.mkdir(parents=True)
    (packages / "_my_robot.pth").write_text(f"{project}\n")
    (info / "METADATA").write_text("Metadata-Version: 2.3\nName: my-robot\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[lerobot.robots]\nmy_robot = my_robot:Config\n")
    (info / "direct_url.json").write_text(f'{{"url": "file://{project.parent}", "dir_info": {{"editable": true}}}}')
    monkeypatch.setattr(sys, "path", list(sys.path))
    site.addsitedir(str(packages))
    registry = Registry()
    assert registry.find("robot", "my_robot").distribution == "my-robot"
    assert Path(sys.modules[registry.config_class("robot", "my_robot").__module__].__file__ or "").parent == project
    del sys.modules["my_robot"]


def test_the_first_distribution_of_a_name_on_the_path_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, value in (("old", "old_config:Config"), ("new", "new_config:Config")):
        (tmp_path / place).mkdir()
        monkeypatch.syspath_prepend(str(tmp_path / place))
        PluginFolder(tmp_path / place, Registry()).install("same-name", {"robot": {"same": value}})
    assert [found.value for found in Registry().plugins("robot") if found.name == "same"] == ["new_config:Config"]


def test_a_folder_that_is_on_the_path_twice_counts_once(
    installed: Registry, plugins: PluginFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(f"{plugins.folder}/.")
    assert [found.name for found in Registry().plugins("robot")].count("thing") == 1


def test_variables_restrict_and_block(installed: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEROBOT_PLUGINS", "lerobot_core")
    assert "thing" not in Registry().names("robot")
    monkeypatch.setenv("LEROBOT_PLUGINS", "")
    monkeypatch.setenv("LEROBOT_BLOCK_PLUGINS", "LeRobot.Robot_Thing")
    assert "thing" not in Registry().names("robot")
    assert "fake" in Registry().names("robot")


def test_imports_can_be_traced(
    installed: Registry, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEROBOT_TRACE_PLUGINS", "1")
    installed.config_class("robot", "thing")
    assert "import plugin=thing value=thing_config:Config" in capsys.readouterr().err


def test_an_unpackaged_class_is_named_by_its_module(installed: Registry) -> None:
    assert installed.config_class("robot", "thing_config:Config").__module__ == "thing_config"


def test_names_of_the_process_are_taken_back() -> None:
    class Local(RobotConfig):
        target = ""

    registry = Registry()
    with registry.temporary():
        registry.register("robot", "local", Local)
        registry.register("robot", "local", Local)
        assert registry.config_class("robot", "local") is Local
        with pytest.raises(DuplicatePluginError):
            registry.register("robot", "local", RobotConfig)
    assert "local" not in registry.names("robot")


@pytest.mark.parametrize("name", ["robot", "robots", "lerobot.robots"])
def test_a_kind_has_three_names(name: str) -> None:
    assert kind_of(name) is KINDS["robot"]
    with pytest.raises(KeyError, match="no plugin kind"):
        kind_of("robt")


def test_the_catalogue_has_a_sentence_for_everything() -> None:
    for kind in KINDS:
        for name, known in known_plugins(kind).items():
            assert not known.distribution or known.distribution.startswith("lerobot-"), name
            assert known.summary.endswith("."), name
            assert len(known.summary) <= 80, name


def test_the_catalogue_knows_what_core_registers() -> None:
    for found in Registry().plugins():
        if found.distribution == "lerobot-core":
            assert known_plugins(found.kind)[found.name].distribution == "lerobot-core"


def test_the_catalogue_knows_every_device_policy_and_environment_of_the_peer() -> None:
    """Names from the fact sheets of huggingface/lerobot 0.6."""
    peer = {
        "robot": "so100_follower so101_follower bi_so_follower koch_follower omx_follower lekiwi lekiwi_client "
        "hope_jr_arm hope_jr_hand reachy2 openarm_follower bi_openarm_follower rebot_b601_follower "
        "bi_rebot_b601_follower earthrover_mini_plus unitree_g1",
        "teleoperator": "so100_leader so101_leader bi_so_leader koch_leader omx_leader openarm_leader openarm_mini "
        "rebot_102_leader keyboard keyboard_ee keyboard_rover gamepad phone homunculus_glove homunculus_arm "
        "reachy2_teleoperator unitree_g1",
        "camera": "opencv intelrealsense reachy2_camera zmq",
        "policy": "act diffusion eo1 evo1 groot molmoact2 fastwam gaussian_actor lingbot_va multi_task_dit pi0 "
        "pi0_fast pi05 smolvla tdmpc vla_jepa vqbet wall_x xvla",
        "env": "aloha pusht gym_manipulator libero metaworld robocasa vlabench isaaclab_arena libero_plus "
        "robotwin robomme",
        "command": "find-port find-cameras setup-motors setup-can calibrate teleoperate record replay rollout "
        "find-joint-limits train eval edit-dataset dataset-viz imgtransform-viz info train-tokenizer "
        "annotate convert-dcp",
    }
    for kind, names in peer.items():
        assert set(names.split()) <= set(known_plugins(kind)), kind


def test_hooks_may_be_a_module_and_configurations_may_not(plugins: PluginFolder) -> None:
    points = {"hooks": {"quiet": "quiet_hooks"}, "robot": {"flat": "quiet_hooks"}}
    plugins.install("lerobot-quiet", points, {"quiet_hooks": ""})
    registry = Registry()
    assert registry.check(registry.find("hooks", "quiet")) is None
    assert "is not a subclass of RobotConfig" in str(registry.check(registry.find("robot", "flat")))
