"""Let a leader drive an SO-101."""

import time

from lerobot.robots.so_follower import SO101Follower, SO101FollowerConfig
from lerobot.teleoperators.so_leader import SO101Leader, SO101LeaderConfig
from lerobot.utils.robot_utils import precise_sleep

FPS = 30

robot_config = SO101FollowerConfig(port="FOLLOWER_PORT", id="black")
teleop_config = SO101LeaderConfig(port="LEADER_PORT", id="black")

robot = SO101Follower(robot_config)
teleop_device = SO101Leader(teleop_config)
robot.connect()
teleop_device.connect()

sent = first = {}
for _ in range(90):
    start = time.perf_counter()
    action = teleop_device.get_action()
    sent = robot.send_action(action)
    first = first or sent
    precise_sleep(1 / FPS - (time.perf_counter() - start))

robot.disconnect()
teleop_device.disconnect()
