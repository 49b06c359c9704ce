"""Real installations, without a network: a third-party plugin is added without the peer, and the peer is taken out."""

import json
from collections.abc import Callable
from pathlib import Path

from lerobot.core.distributions.ownership import SOURCE

PLUGIN = {"lerobot_robot_toaster/__init__.py": "from lerobot.robots import Robot\n"}


def test_a_plugin_of_others_comes_without_the_peer_and_that_is_remembered(
    environment, make_wheel: Callable[..., Path]
) -> None:
    sdk = make_wheel("toaster-sdk", "2.0", {"toaster_sdk.py": ""}, requires=["lerobot>=0.5"])
    needs = ["lerobot[feetech]>=0.4", f"toaster-sdk @ {sdk.as_uri()}"]
    plugin = make_wheel("lerobot_robot_toaster", "1.2", PLUGIN, requires=needs)
    done = environment.lerobot("plugins", "add", plugin)
    assert done.returncode == 0, done.stderr
    assert "without huggingface/lerobot" in done.stdout
    assert "added lerobot-robot-toaster 1.2" in done.stdout
    assert (environment.site / "toaster_sdk.py").exists()
    assert not list(environment.site.glob("lerobot-*.dist-info")), "the peer's distribution is 'lerobot'"
    remembered = json.loads((environment.folder / "share/lerobot/added.json").read_text())
    assert remembered == {"lerobot-robot-toaster": {"version": "1.2", "left_out": ["lerobot[feetech]>=0.4"]}}
    again = environment.lerobot("plugins", "add", plugin)
    assert again.stdout == "lerobot-robot-toaster 1.2 is installed already\n"
    told = environment.lerobot("doctor", plugins="lerobot-core").stdout
    assert "lerobot-robot-toaster 1.2 runs without lerobot[feetech]>=0.4, as it was added" in told


def test_the_peer_that_slipped_in_is_named_and_taken_out_and_what_it_overwrote_mended(
    environment, make_wheel: Callable[..., Path]
) -> None:
    ours = make_wheel("lerobot-vqbet", "0.1.0", {"lerobot/vqbet/__init__.py": "OURS = True\n"}, source=SOURCE)
    theirs = {
        "lerobot/__init__.py": "",
        "lerobot/vqbet/__init__.py": "OURS = False\n",
        "lerobot/robots/__init__.py": "",
    }
    peer = make_wheel("lerobot", "0.6.1", theirs)
    environment.uv("install", ours)
    environment.uv("install", peer)
    file = environment.site / "lerobot/vqbet/__init__.py"
    assert file.read_text() == "OURS = False\n"
    assert environment.lerobot("--help").returncode == 2, "the regular package hides the command line"

    told = environment.lerobot("doctor", plugins="lerobot-core")
    assert told.returncode == 1, told.stderr
    assert "huggingface/lerobot 0.6.1 is in this environment" in told.stdout
    assert "lerobot doctor --repair" in told.stdout

    mended = environment.lerobot("doctor", "--repair", plugins="lerobot-core")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert "took out huggingface/lerobot 0.6.1" in mended.stdout
    assert f"installed lerobot-vqbet anew from {ours}" in mended.stdout
    assert file.read_text() == "OURS = True\n"
    assert not (environment.site / "lerobot/__init__.py").exists()
    assert environment.lerobot("--version").returncode == 0


def test_what_lost_files_and_has_no_place_is_said_to_be_left(environment, make_wheel: Callable[..., Path]) -> None:
    ours = make_wheel("lerobot-vqbet", "0.1.0", {"lerobot/vqbet/__init__.py": ""}, source=SOURCE)
    environment.uv("install", ours)
    (environment.site / "lerobot/vqbet/__init__.py").unlink()
    (next(environment.site.glob("lerobot_vqbet-*.dist-info")) / "direct_url.json").unlink()
    told = environment.lerobot("doctor", plugins="lerobot-core")
    assert told.returncode == 1
    assert "lerobot-vqbet: 2 files are gone, such as " in told.stdout
    mended = environment.lerobot("doctor", "--repair", "--source", ours.parent, plugins="lerobot-core")
    assert mended.returncode == 0, mended.stdout
    assert f"installed lerobot-vqbet anew from {ours}" in mended.stdout


def test_a_distribution_under_our_name_from_elsewhere_is_named(environment, make_wheel: Callable[..., Path]) -> None:
    other = make_wheel("lerobot-vqbet", "0.0.1", {"lerobot_vqbet.py": ""}, source="https://example.org/theirs")
    environment.uv("install", other)
    told = environment.lerobot("doctor", plugins="lerobot-core")
    assert told.returncode == 1
    assert "lerobot-vqbet 0.0.1 is not this project's: it comes from https://example.org/theirs" in told.stdout
    assert "uv pip uninstall lerobot-vqbet" in told.stdout
