"""Third-party plugins from the package index, added by our command, imported, and driven: `nox -s third_party`.

It runs in an environment of its own with the wheels of this repository; arguments: the environment, and the folder of
the wheels. It prints the rows of docs/third-party-plugins.md and fails where a plugin that worked does no more.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

PLUGINS = {
    "lerobot-camera-dummy": "",
    "lerobot-camera-paxini": "",
    "lerobot-env-so101": "",
    "lerobot-robot-dummy": "",
    "lerobot-robot-hex-arm-sim": "",
    "lerobot-robot-lekiwi-pincopen": "",
    "lerobot-robot-livekit": "",
    "lerobot-robot-seeed-b601": "",
    "lerobot-robot-so-arm102": "",
    "lerobot-robot-ugo-nova": "",
    "lerobot-robot-ugo-pro": "",
    "lerobot-robot-xarm": "",
    "lerobot-teleoperator-dummy": "hex-device",
    "lerobot-teleoperator-hello": "",
    "lerobot-teleoperator-hex-arm": "",
    "lerobot-teleoperator-livekit": "",
    "lerobot-teleoperator-rebot-arm-102": "",
    "lerobot-teleoperator-spacemouse": "",
}
"""Plugins, and what they import without declaring it."""
TWO_JOINTS = ("--robot.type=dummy_follower", "--robot.silent=true", "--robot.motor_names=[joint_1,joint_2]")
DRIVES = (
    ("teleoperate", *TWO_JOINTS, "--teleop.type=hex_dummy_leader", "--teleop_time_s=1", "--robot.units=rad"),
    (
        *("record", "--robot.type=fake", "--teleop.type=fake", "--dataset.repo_id=me/plugins", "--dataset.root={root}"),
        "--robot.cameras={{front: {{type: hex_dummy_camera, width: 64, height: 48}}}}",
        *("--dataset.num_episodes=1", "--dataset.episode_time_s=1", "--dataset.reset_time_s=0"),
        *("--dataset.single_task=nothing", "--dataset.push_to_hub=false", "--play_sounds=false"),
    ),
)
CHECK = f"""
from lerobot.core.registry import registry
for found in registry.plugins():
    if found.distribution in {set(PLUGINS)}:
        error = registry.check_implementation(found)
        row = f"| `{{found.distribution}}` {{found.version}} | {{found.kind}} | `{{found.name}}` |"
        print(row, error or "yes", "|")
"""


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def main(environment: str, wheels: str) -> None:
    programs = Path(environment, "bin")
    for plugin, undeclared in PLUGINS.items():
        run(programs / "lerobot", "plugins", "add", plugin, f"--source={wheels}")
        if undeclared:
            run("uv", "pip", "install", "-q", "--python", programs / "python", undeclared)
    rows = run(programs / "python", "-c", CHECK).splitlines()
    sys.stdout.write("\n".join(rows) + "\n")
    found = [row for row in rows if row.startswith("| `")]
    listed = {row.split("`")[1] for row in found}
    failing = {row.split("`")[1] for row in found if not row.endswith("| yes |")}
    if missing := sorted(PLUGINS.keys() - listed | failing):
        sys.exit(f"these do not load: {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as folder:
        for drive in DRIVES:
            run(programs / "lerobot", *(part.format(root=f"{folder}/dataset") for part in drive))
            sys.stdout.write(f"lerobot {drive[0]}: driven\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
