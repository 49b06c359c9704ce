"""Drive an SO-100 by the pose of a leader's end effector, and record poses."""

import time

from lerobot.lerobot_types import RobotAction, RobotObservation
from lerobot.model.kinematics import RobotKinematics
from lerobot.processor import RobotProcessorPipeline
from lerobot.processor.converters import (
    observation_to_transition,
    robot_action_observation_to_transition,
    transition_to_observation,
    transition_to_robot_action,
)
from lerobot.robots.so_follower import SO100Follower, SO100FollowerConfig
from lerobot.robots.so_follower.robot_kinematic_processor import (
    EEBoundsAndSafety,
    ForwardKinematicsJointsToEE,
    InverseKinematicsEEToJoints,
)
from lerobot.teleoperators.so_leader import SO100Leader, SO100LeaderConfig
from lerobot.utils.feature_utils import build_dataset_frame, combine_feature_dicts
from lerobot.utils.robot_utils import precise_sleep

from lerobot.datasets import LeRobotDataset, aggregate_pipeline_dataset_features, create_initial_features

FPS = 30

follower = SO100Follower(SO100FollowerConfig(port="FOLLOWER_PORT", id="black", use_degrees=True))
leader = SO100Leader(SO100LeaderConfig(port="LEADER_PORT", id="black", use_degrees=True))

follower_kinematics_solver = RobotKinematics(
    urdf_path="URDF",
    target_frame_name="gripper_frame_link",
    joint_names=list(follower.bus.motors.keys()),
)
leader_kinematics_solver = RobotKinematics(
    urdf_path="URDF",
    target_frame_name="gripper_frame_link",
    joint_names=list(leader.bus.motors.keys()),
)

follower_joints_to_ee = RobotProcessorPipeline[RobotObservation, RobotObservation](
    steps=[
        ForwardKinematicsJointsToEE(
            kinematics=follower_kinematics_solver, motor_names=list(follower.bus.motors.keys())
        ),
    ],
    to_transition=observation_to_transition,
    to_output=transition_to_observation,
)
leader_joints_to_ee = RobotProcessorPipeline[tuple[RobotAction, RobotObservation], RobotAction](
    steps=[
        ForwardKinematicsJointsToEE(kinematics=leader_kinematics_solver, motor_names=list(leader.bus.motors.keys())),
    ],
    to_transition=robot_action_observation_to_transition,
    to_output=transition_to_robot_action,
)
ee_to_follower_joints = RobotProcessorPipeline[tuple[RobotAction, RobotObservation], RobotAction](
    [
        EEBoundsAndSafety(
            end_effector_bounds={"min": [-1.0, -1.0, -1.0], "max": [1.0, 1.0, 1.0]},
            max_ee_step_m=0.10,
        ),
        InverseKinematicsEEToJoints(
            kinematics=follower_kinematics_solver,
            motor_names=list(follower.bus.motors.keys()),
            initial_guess_current_joints=True,
        ),
    ],
    to_transition=robot_action_observation_to_transition,
    to_output=transition_to_robot_action,
)

dataset = LeRobotDataset.create(
    repo_id="me/poses",
    fps=FPS,
    features=combine_feature_dicts(
        aggregate_pipeline_dataset_features(
            pipeline=leader_joints_to_ee,
            initial_features=create_initial_features(action=leader.action_features),
            use_videos=True,
        ),
        aggregate_pipeline_dataset_features(
            pipeline=follower_joints_to_ee,
            initial_features=create_initial_features(observation=follower.observation_features),
            use_videos=True,
        ),
    ),
    robot_type=follower.name,
)

leader.connect()
follower.connect()

joints_action = {}
for _ in range(30):
    t0 = time.perf_counter()
    robot_obs = follower.get_observation()
    leader_joints_obs = leader.get_action()
    leader_ee_act = leader_joints_to_ee((leader_joints_obs, robot_obs))
    joints_action = ee_to_follower_joints((leader_ee_act, robot_obs))
    follower.send_action(joints_action)

    frame = build_dataset_frame(dataset.features, follower_joints_to_ee(robot_obs), prefix="observation")
    frame |= build_dataset_frame(dataset.features, leader_ee_act, prefix="action")
    dataset.add_frame({**frame, "task": "Follow"})
    precise_sleep(max(1.0 / FPS - (time.perf_counter() - t0), 0.0))

dataset.save_episode()
dataset.finalize()
leader.disconnect()
follower.disconnect()
