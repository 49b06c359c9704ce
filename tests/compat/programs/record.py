"""Record two episodes of an SO-101 that a leader drives."""

from lerobot.cameras.opencv import OpenCVCameraConfig
from lerobot.processor import make_default_processors
from lerobot.robots.so_follower import SO101Follower, SO101FollowerConfig
from lerobot.scripts.lerobot_record import record_loop
from lerobot.teleoperators.so_leader import SO101Leader, SO101LeaderConfig
from lerobot.utils.feature_utils import combine_feature_dicts, hw_to_dataset_features
from lerobot.utils.keyboard_input import init_keyboard_listener
from lerobot.utils.utils import init_logging, log_say

from lerobot.datasets.lerobot_dataset import LeRobotDataset

NUM_EPISODES = 2
FPS = 30
EPISODE_TIME_SEC = 1
TASK_DESCRIPTION = "Put the cube into the bin"

init_logging()

camera_config = {"front": OpenCVCameraConfig(index_or_path="CAMERA", width=160, height=120, fps=FPS)}
robot = SO101Follower(SO101FollowerConfig(port="FOLLOWER_PORT", id="black", cameras=camera_config))
teleop = SO101Leader(SO101LeaderConfig(port="LEADER_PORT", id="black"))

features = combine_feature_dicts(
    hw_to_dataset_features(robot.action_features, "action"),
    hw_to_dataset_features(robot.observation_features, "observation"),
)
dataset = LeRobotDataset.create(
    repo_id="me/cubes",
    fps=FPS,
    features=features,
    robot_type=robot.name,
    use_videos=True,
    image_writer_threads=4,
)

_, events = init_keyboard_listener()
teleop_action_processor, robot_action_processor, robot_observation_processor = make_default_processors()

robot.connect()
teleop.connect()

episode = 0
while episode < NUM_EPISODES and not events["stop_recording"]:
    log_say(f"Recording episode {episode + 1} of {NUM_EPISODES}", play_sounds=False)
    record_loop(
        robot=robot,
        events=events,
        fps=FPS,
        teleop_action_processor=teleop_action_processor,
        robot_action_processor=robot_action_processor,
        robot_observation_processor=robot_observation_processor,
        teleop=teleop,
        dataset=dataset,
        control_time_s=EPISODE_TIME_SEC,
        single_task=TASK_DESCRIPTION,
        display_data=False,
    )
    if events["rerecord_episode"]:
        events["rerecord_episode"] = False
        dataset.clear_episode_buffer()
        continue
    dataset.save_episode()
    episode += 1

robot.disconnect()
teleop.disconnect()
dataset.finalize()
