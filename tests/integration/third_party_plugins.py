"""Third-party plugins from the package index, added by our command, imported, and driven: `nox -s third_party`.

It runs in an environment of its own with the wheels of this repository; arguments: the environment, and the folder of
the wheels. It prints the rows of docs/third-party-plugins.md and fails where a plugin that worked does no more.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

from lerobot.motors import MotorCalibration, save_calibration
from lerobot.motors.virtual import ARMS, VirtualBus, with_calibration

PLUGINS = {
    "lerobot-camera-dummy": "",
    "lerobot-camera-paxini": "",
    "lerobot-env-so101": "",
    "lerobot-policy-turbovla-so101": "",
    "lerobot-robot-bi-so101-follower": "",
    "lerobot-robot-bimanual-follower": "",
    "lerobot-robot-cello": "",
    "lerobot-robot-dummy": "",
    "lerobot-robot-fastgripper": "",
    "lerobot-robot-hex-arm-sim": "",
    "lerobot-robot-lekiwi-pincopen": "",
    "lerobot-robot-livekit": "",
    "lerobot-robot-seeed-b601": "",
    "lerobot-robot-so-arm102": "",
    "lerobot-robot-so101-paxini": "",
    "lerobot-robot-ugo-nova": "",
    "lerobot-robot-ugo-pro": "",
    "lerobot-robot-viola": "",
    "lerobot-robot-xarm": "",
    "lerobot-teleoperator-bi-so101-leader": "",
    "lerobot-teleoperator-dummy": "hex-device",
    "lerobot-teleoperator-galaxea-a1-so-leader": "",
    "lerobot-teleoperator-hello": "",
    "lerobot-teleoperator-hex-arm": "",
    "lerobot-teleoperator-livekit": "",
    "lerobot-teleoperator-rebot-arm-102": "",
    "lerobot-teleoperator-spacemouse": "",
    "lerobot-teleoperator-teleop": "",
}
"""Plugins, and what they import without declaring it."""
JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
SO101 = {name: MotorCalibration(number, 0, 0, 800, 3200) for number, name in enumerate(JOINTS, 1)}
A1_JOINTS = (*(f"joint{number}" for number in range(6)), "gripper")
A1 = {name: MotorCalibration(number, 0, 0, 800, 3200) for number, name in enumerate(A1_JOINTS)}
CALIBRATED = {
    "robots/so_follower/left_left": SO101,
    "robots/so_follower/left_right": SO101,
    "robots/so_follower/left": SO101,
    "teleoperators/so_leader/left_left": SO101,
    "teleoperators/so_leader/left_right": SO101,
    "teleoperators/so_leader/left": SO101,
    "robots/fastgripper_follower/left": SO101,
    "robots/so101_paxini/left": SO101,
    "teleoperators/galaxea_a1_so_leader/left": A1,
}
SECONDS = ("--teleop_time_s=1",)
LEFT = ("--robot.id=left", "--teleop.id=left")
LEADER = ("--teleop.type=so101_leader", "--teleop.port={two}", *LEFT, *SECONDS)
DUMMY = ("--robot.type=dummy_follower", "--robot.silent=true", "--robot.units=rad")
DRIVES = (
    ("teleoperate", *DUMMY, "--robot.motor_names=[joint_1,joint_2]", "--teleop.type=hex_dummy_leader", *SECONDS),
    (
        *("record", "--robot.type=fake", "--teleop.type=fake", "--dataset.repo_id=me/plugins", "--dataset.root={root}"),
        "--robot.cameras={{front: {{type: hex_dummy_camera, width: 64, height: 48}}}}",
        *("--dataset.num_episodes=1", "--dataset.episode_time_s=1", "--dataset.reset_time_s=0"),
        *("--dataset.single_task=nothing", "--dataset.push_to_hub=false", "--play_sounds=false"),
    ),
    (
        *("teleoperate", "--robot.type=bi_so101_follower", "--robot.left_arm_port={one}"),
        *("--robot.right_arm_port={two}", "--teleop.type=bi_so101_leader", "--teleop.left_arm_port={three}"),
        *("--teleop.right_arm_port={four}", *LEFT, *SECONDS),
    ),
    (
        *("teleoperate", "--robot.type=fastgripper_follower", "--robot.port={one}"),
        *("--robot.gripper_home_mode=assume_closed", *LEADER),
    ),
    ("teleoperate", "--robot.type=so101_paxini", "--robot.port={one}", *LEADER),
    (
        *("teleoperate", *DUMMY, f"--robot.motor_names=[{','.join(A1_JOINTS)}]"),
        *("--teleop.type=galaxea_a1_so_leader", "--teleop.port={a1}", "--teleop.id=left", *SECONDS),
    ),
)
"""Commands; the arms on `one`, `two`, ... are virtual."""
CHECK = f"""
from lerobot.core.registry import registry
for found in registry.plugins():
    if found.distribution in {set(PLUGINS)}:
        error = registry.check_implementation(found)
        row = f"| `{{found.distribution}}` {{found.version}} | {{found.kind}} | `{{found.name}}` |"
        print(row, error or "yes", "|")
"""


def run(*command: str | Path, home: Path | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, **({"HF_LEROBOT_CALIBRATION": str(home)} if home else {})},
    )
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
        for name, calibration in CALIBRATED.items():
            save_calibration(Path(folder, f"{name}.json"), calibration)
        for drive in DRIVES:
            # New arms for each: a plugin may write into the servos.
            with virtual_arms() as places:
                told = [part.format(root=f"{folder}/dataset", **places) for part in drive]
                run(programs / "lerobot", *told, home=Path(folder))
            sys.stdout.write(f"lerobot {' '.join(drive[:2])}: driven\n")


@contextmanager
def virtual_arms() -> Iterator[dict[str, str]]:
    """Four SO-101 arms, and the leader of a Galaxea A1, which has seven of the same servos; by name, their ports."""
    so101 = ARMS["so101"]
    servos = tuple(replace(so101.servos[0], id=number) for number in range(len(A1_JOINTS)))
    a1 = with_calibration(replace(so101, servos=servos, names=A1_JOINTS), A1)
    arms = {**dict.fromkeys(("one", "two", "three", "four"), with_calibration(so101, SO101)), "a1": a1}
    with ExitStack() as opened:
        buses = {name: opened.enter_context(closing(VirtualBus(arm))) for name, arm in arms.items()}
        yield {name: bus.port for name, bus in buses.items()}


if __name__ == "__main__":
    main(*sys.argv[1:])
