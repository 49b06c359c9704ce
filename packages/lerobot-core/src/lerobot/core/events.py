"""Events a teleoperator's buttons stand for, by the names the field uses."""

from enum import StrEnum


class TeleopEvents(StrEnum):
    """Keys of `get_teleop_events()`."""

    SUCCESS = "success"
    FAILURE = "failure"
    RERECORD_EPISODE = "rerecord_episode"
    IS_INTERVENTION = "is_intervention"
    TERMINATE_EPISODE = "terminate_episode"
