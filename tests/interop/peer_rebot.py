"""A reBot arm, or an EarthRover, driven by huggingface/lerobot.

Usage: python peer_rebot.py follower|leader PORT CALIBRATION_DIR, or rover URL. An arm has the calibration called peer.
Commands come from stdin, one JSON object per line; after each, what is measured is one JSON object on stdout.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any


def build(kind: str, place: str, folder: str) -> Any:
    """Make the device."""
    common: dict[str, Any] = {"id": "peer", "calibration_dir": Path(folder)}
    if kind == "follower":
        from lerobot.robots.rebot_b601_follower import RebotB601Follower, RebotB601FollowerRobotConfig

        return RebotB601Follower(RebotB601FollowerRobotConfig(port=place, **common))
    if kind == "leader":
        from lerobot.teleoperators.rebot_102_leader import RebotArm102Leader, RebotArm102LeaderTeleopConfig

        return RebotArm102Leader(RebotArm102LeaderTeleopConfig(port=place, **common))
    from lerobot.robots.earthrover_mini_plus import EarthRoverMiniPlus, EarthRoverMiniPlusConfig

    rover = EarthRoverMiniPlus(EarthRoverMiniPlusConfig())
    rover.sdk_base_url = place
    return rover


device = build(*[*sys.argv[1:], ""][:3])
device.connect()
for line in sys.stdin:
    if sys.argv[1] == "leader":
        measured = device.get_action()
    else:
        sent = device.send_action(json.loads(line))
        time.sleep(1.0)
        measured = {**device.get_observation(), "sent": dict(sent)}
    told = {key: value if not hasattr(value, "shape") else value[0, 0].tolist() for key, value in measured.items()}
    print(json.dumps(told), flush=True)
device.disconnect()
