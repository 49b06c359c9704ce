"""The client of huggingface/lerobot: drives for a while and tells what it measured.

Usage: python peer_lekiwi_client.py COMMAND_PORT OBSERVATION_PORT; commands come from stdin, one JSON object per line,
each sent twenty times, and the last observation is one JSON object on stdout.
"""

import json
import sys
import time

from lerobot.cameras.opencv import OpenCVCameraConfig
from lerobot.robots.lekiwi import LeKiwiClient, LeKiwiClientConfig

commands, observations = map(int, sys.argv[1:])
client = LeKiwiClient(
    LeKiwiClientConfig(
        remote_ip="127.0.0.1",
        port_zmq_cmd=commands,
        port_zmq_observations=observations,
        id="kiwi",
        cameras={"front": OpenCVCameraConfig(index_or_path="none", width=64, height=48, fps=30)},
        connect_timeout_s=30,
    )
)
client.connect()
for line in sys.stdin:
    for _ in range(20):
        observation = client.get_observation()
        client.send_action(json.loads(line))
        time.sleep(0.05)
    told = {key: value for key, value in observation.items() if isinstance(value, float)}
    print(json.dumps(told | {"front": [*observation["front"].shape, str(observation["front"].dtype)]}), flush=True)
client.disconnect()
