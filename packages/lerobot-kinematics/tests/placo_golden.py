"""Writes `placo_so101.json`: what placo, the library huggingface/lerobot solves kinematics with, makes of the SO-101.

Run it in an environment with placo: `python placo_golden.py SO101.urdf placo_so101.json`.
"""

import importlib.metadata
import json
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import placo

JOINTS = ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll"]
FRAME = "gripper_frame_link"
REACH_DEG = np.array([76, 69, 67, 65, 110])
CASES = 25


class Placo:
    """The SO-101 in placo: a soft frame task with the weights 1.0 and 0.01, degrees in and out."""

    def __init__(self, urdf: Path) -> None:
        robot = ET.parse(urdf).getroot()
        for link in robot.findall("link"):
            for shape in [*link.findall("visual"), *link.findall("collision")]:
                link.remove(shape)
        with tempfile.NamedTemporaryFile(suffix=".urdf") as file:
            ET.ElementTree(robot).write(file.name)
            self._robot = placo.RobotWrapper(file.name)
        self._solver = placo.KinematicsSolver(self._robot)
        self._solver.mask_fbase(True)
        self._task = self._solver.add_frame_task(FRAME, np.eye(4))

    def forward(self, joints: np.ndarray) -> np.ndarray:
        for name, value in zip(JOINTS, np.radians(joints), strict=True):
            self._robot.set_joint(name, value)
        self._robot.update_kinematics()
        return self._robot.get_T_world_frame(FRAME).copy()

    def inverse(self, start: np.ndarray, pose: np.ndarray, steps: int) -> np.ndarray:
        self.forward(start)
        self._task.T_world_frame = pose
        self._task.configure(FRAME, "soft", 1.0, 0.01)
        for _ in range(steps):
            self._solver.solve(True)
            self._robot.update_kinematics()
        return np.degrees([self._robot.get_joint(name) for name in JOINTS])


def main(urdf: Path, result: Path) -> None:
    arm, rng, cases = Placo(urdf), np.random.default_rng(7), []
    while len(cases) < CASES:
        joints = rng.uniform(-REACH_DEG, REACH_DEG).round(3)
        start = (joints + rng.normal(0, 5, 5)).round(3)
        pose = arm.forward(joints)
        converged = arm.inverse(start, pose, 200)
        if np.abs(converged - joints).max() < 1e-3:
            values = {"joints": joints, "pose": pose[:3].round(12), "start": start, "converged": converged.round(9)}
            cases.append({key: value.tolist() for key, value in values.items()})
    source = f"placo {importlib.metadata.version('placo')}"
    lines = ",\n".join(json.dumps(case) for case in cases)
    head = f'"source": {json.dumps(source)}, "joint_names": {json.dumps(JOINTS)}'
    result.write_text(f'{{{head}, "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
