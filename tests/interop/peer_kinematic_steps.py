"""Runs under the peer's interpreter: its steps of end-effector space, on forward kinematics of a URDF done by hand.

Usage: python peer_kinematic_steps.py ARM.urdf CASES.json; the answer is one JSON list on stdout.
"""

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
from lerobot.processor import pipeline as peer
from lerobot.processor.converters import create_transition
from lerobot.robots.so_follower import robot_kinematic_processor  # noqa: F401 - registers its steps
from lerobot.utils.rotation import Rotation


class Kinematics:
    """Forward kinematics of the chain to a link, degrees in, as the peer's steps call it."""

    def __init__(self, urdf: str, end: str) -> None:
        joints = ET.parse(urdf).getroot().findall("joint")
        self._chain: list[ET.Element] = []
        while joint := next((one for one in joints if one.find("child").get("link") == end), None):
            self._chain.insert(0, joint)
            end = joint.find("parent").get("link")

    def forward_kinematics(self, degrees: np.ndarray) -> np.ndarray:
        angles = iter(np.radians(degrees))
        place = np.eye(4)
        for joint in self._chain:
            roll, pitch, yaw = numbers(joint.find("origin").get("rpy"))
            step = np.eye(4)
            step[:3, :3] = turned([0, 0, yaw]) @ turned([0, pitch, 0]) @ turned([roll, 0, 0])
            step[:3, 3] = numbers(joint.find("origin").get("xyz"))
            if joint.get("type") != "fixed":
                step[:3, :3] = step[:3, :3] @ turned(numbers(joint.find("axis").get("xyz")) * next(angles))
            place = place @ step
        return place


def turned(vector: list) -> np.ndarray:
    return Rotation.from_rotvec(np.array(vector, float)).as_matrix()


def numbers(text: str) -> np.ndarray:
    return np.array([float(part) for part in text.split()])


def main(urdf: str, cases_file: str) -> None:
    kinematics, answers = Kinematics(urdf, "gripper_frame_link"), []
    for case in json.loads(Path(cases_file).read_text()):
        step = peer.ProcessorStepRegistry.get(case["name"])(kinematics=kinematics, **case["config"])
        answers.append([answer(step(create_transition(**call)), case["entry"]) for call in case["calls"]])
    sys.stdout.write(json.dumps(answers))


def answer(transition: dict, entry: str) -> dict:
    values = next(value for key, value in transition.items() if key.value == entry)
    return {key: float(value) for key, value in values.items()}


if __name__ == "__main__":
    main(*sys.argv[1:])
