"""Pipelines as the control loop calls them."""

from lerobot.core.control import ActionProcessor, ObservationProcessor
from lerobot.core.processors import action_processor, robot_action_pipeline, robot_observation_pipeline
from lerobot.core.processors.config import AbsoluteJointActionsConfig, RenameObservationsConfig
from lerobot.core.types import Observation, Stamp


def test_actions_see_the_observation_they_answer_to() -> None:
    process: ActionProcessor = action_processor(
        robot_action_pipeline([AbsoluteJointActionsConfig(motor_names=["a"]).build()])
    )
    assert process({"a.pos": 1.0}, Observation({"a.pos": 10.0})) == {"a.pos": 11.0}
    assert action_processor(robot_action_pipeline())({"a": 1}, Observation()) == {"a": 1}


def test_observations_keep_their_time_stamps() -> None:
    process: ObservationProcessor = robot_observation_pipeline(
        [RenameObservationsConfig(rename_map={"a": "b"}).build()]
    )
    processed = process(Observation({"a": 1.0}, {"a": Stamp(3.0, 7)}))
    assert processed == {"b": 1.0}
    assert processed.stamps == {"b": Stamp(3.0, 7)}
