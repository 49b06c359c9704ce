"""Episodes that meet conditions: against what plain Python says of the recorded values."""

import pytest

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.dataset_tools.edit.features import add_features
from lerobot.datasets.dataset.conditions import episodes_where, frames_where
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.reader.source import open_source

LENGTHS = [3, 4, 1, 5, 2, 6]
OUTCOMES = ["success", "failure", "unknown", "failure", "success", "success"]
FRAMES = [(episode, frame) for episode, length in enumerate(LENGTHS) for frame in range(length)]
TEXT = {"dtype": "string", "shape": (1,), "names": None}
NUMBER = {"dtype": "float32", "shape": (1,), "names": None}
FLAG = {"dtype": "bool", "shape": (1,), "names": None}


@pytest.fixture(scope="module")
def source(recorded, tmp_path_factory):
    """State and action of frame k of episode e are (e, k, 1000 e + k) and its negative; tasks are `task e % 3`."""
    columns = {
        "outcome": ([OUTCOMES[episode] for episode, _ in FRAMES], TEXT),
        "next.reward": ([float(frame) for _, frame in FRAMES], NUMBER),
        "next.success": ([frame == 4 for _, frame in FRAMES], FLAG),
    }
    return open_source(add_features(recorded, columns, tmp_path_factory.mktemp("conditions") / "set").root)


@pytest.mark.parametrize(
    ("conditions", "met"),
    [
        (["outcome == failure"], [1, 3]),
        (["outcome != 'success'"], [1, 2, 3]),
        (["any(outcome) == unknown"], [2]),
        (["length < 3"], [2, 4]),
        (["length >= 4", "outcome == success"], [5]),
        (["task == 'task 1'"], [1, 4]),
        (["last(next.reward) > 3"], [3, 5]),
        (["first(next.reward) == 0"], [0, 1, 2, 3, 4, 5]),
        (["mean(next.reward) == 1.5"], [1]),
        (["any(next.success) == true"], [3, 5]),
        (["all(next.success) == false"], [0, 1, 2, 4]),
        (["max(observation.state[b]) >= 5"], [5]),
        (["min(action[2]) < -5004"], [5]),
        (["observation.state[a] == 4"], [4]),
        (["length > 100"], []),
    ],
)
def test_conditions(source, conditions, met):
    assert episodes_where(source, conditions).tolist() == met


@pytest.mark.parametrize(
    ("condition", "error", "what"),
    [
        ("outcome", DatasetError, "is not a condition"),
        ("outcome = failure", DatasetError, "is not a condition"),
        ("median(next.reward) > 1", DatasetError, "is not a condition"),
        ("reward > 1", FeatureMismatchError, "no column 'reward'"),
        ("observation.images.left == 1", FeatureMismatchError, r"no column 'observation\.images\.left'"),
        ("next.reward > 1", DatasetError, r"not the same in all frames of episode 0.*\n.*last\(next\.reward\)"),
        ("observation.state == 1", FeatureMismatchError, r"3 elements\n.*observation\.state\[a\]"),
        ("observation.state[d] == 1", FeatureMismatchError, "3 elements"),
        ("outcome < failure", DatasetError, "texts have no order"),
        ("max(outcome) == failure", DatasetError, "texts have no order"),
        ("length < many", DatasetError, "compares numbers with 'many'"),
    ],
)
def test_conditions_that_cannot_be_meant(source, condition, error, what):
    with pytest.raises(error, match=what):
        episodes_where(source, [condition])


PLACES = {
    "outcome == failure": lambda episode, _: OUTCOMES[episode] == "failure",
    "next.success == true": lambda _, frame: frame == 4,
    "any(next.success) == true": lambda episode, _: LENGTHS[episode] > 4,
    "observation.state[b] > 1": lambda _, frame: frame > 1,
    "length >= 4": lambda episode, _: LENGTHS[episode] >= 4,
    "task == 'task 1'": lambda episode, _: episode % 3 == 1,
}


@pytest.mark.parametrize("chosen", [None, [1, 3, 5]])
@pytest.mark.parametrize("conditions", [[each] for each in PLACES] + [["length >= 4", "observation.state[b] > 1"]])
def test_frames_meet_what_a_column_alone_says_for_themselves(source, conditions, chosen):
    """A column alone is about each frame, and so is what is the same in all of an episode."""
    dataset = LeRobotDataset("test/set", source.root, chosen)
    expected = [
        all(PLACES[condition](episode, frame) for condition in conditions)
        for episode, frame in FRAMES
        if chosen is None or episode in chosen
    ]
    assert frames_where(dataset, conditions).tolist() == expected


def test_frames_of_no_column_are_refused(source):
    with pytest.raises(FeatureMismatchError, match="no column 'intervention'"):
        frames_where(LeRobotDataset("test/set", source.root), ["intervention == true"])
