"""What becomes what: defaults, the user's map, types, names and refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot.core.errors import FeatureMismatchError
from lerobot.dataset_tools.conversion.plan import ImportPlan
from lerobot.dataset_tools.formats import targets
from lerobot.dataset_tools.formats.source import TASK, TEXT, SourceField

FIELDS = [
    SourceField("obs/pos", "float64", (3,), targets.STATE),
    SourceField("obs/grip", "float32", (), targets.STATE),
    SourceField("obs/front_image", "uint8", (8, 10, 3), "observation.images.front"),
    SourceField("action", "float32", (2,), targets.ACTION),
    SourceField("lang", TEXT, (), TASK),
    SourceField("states", "float64", (45,), None),
]


def test_the_map_comes_first_and_in_its_order():
    plan = ImportPlan(FIELDS, {"obs/grip": targets.STATE, "states": "sim.state", "obs/front_image": None, "lang": None})
    assert plan.features["observation.state"]["names"] == ["grip", "pos_0", "pos_1", "pos_2"]
    assert plan.features["sim.state"]["shape"] == (45,)
    assert plan.left_out == ["obs/front_image", "lang"]
    assert plan.task_field is None
    frame = plan.frame(
        {"obs/pos": np.arange(3.0), "obs/grip": np.float32(9), "action": np.zeros(2, "f4"), "states": np.zeros(45)}
    )
    np.testing.assert_array_equal(frame["observation.state"], np.float32([9, 0, 1, 2]))


@pytest.mark.parametrize(
    ("dtypes", "float_type", "expected"),
    [
        (["float64"], "float32", "float32"),
        (["float64"], "source", "float64"),
        (["float16"], "float32", "float16"),
        (["int64"], "float32", "int64"),
        (["int64", "float32"], "float32", "float32"),
        (["int64", "float32"], "source", "float64"),
        (["bool", "uint8"], "float32", "uint8"),
    ],
)
def test_types_of_joined_fields(dtypes, float_type, expected):
    fields = [SourceField(f"f{i}", dtype, (2,), "x") for i, dtype in enumerate(dtypes)]
    assert ImportPlan(fields, float_type=float_type).features["x"]["dtype"] == expected


def test_the_end_of_an_episode_is_true_or_false_whatever_the_source_counts():
    plan = ImportPlan([SourceField("dones", "float64", (1,), targets.DONE)])
    assert plan.features["next.done"]["dtype"] == "bool"
    assert plan.frame({"dones": np.ones(1)})["next.done"].tolist() == [True]


def test_names_that_would_repeat_are_written_in_full():
    plan = ImportPlan([SourceField(f"{arm}/joint", "float32", (), "action") for arm in ("left", "right")])
    assert plan.features["action"]["names"] == ["left/joint", "right/joint"]


@pytest.mark.parametrize("shape", [(8, 10, 3), (3, 8, 10), (8, 10, 1), (1, 8, 10)])
def test_grey_and_channel_first_images_become_colour_ones(shape):
    plan = ImportPlan([SourceField("cam", "uint8", shape, "observation.images.cam")])
    image = np.random.default_rng(0).integers(0, 256, shape, "u1")
    expected = image.transpose(1, 2, 0) if shape[0] in (1, 3) else image
    found = plan.frame({"cam": image})["observation.images.cam"]
    assert plan.features["observation.images.cam"]["shape"] == (8, 10, 3)
    np.testing.assert_array_equal(found, np.broadcast_to(expected, (8, 10, 3)))


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(1, 3), max_size=3).map(tuple), min_size=1, max_size=4))
def test_a_vector_holds_every_number_once_in_order(shapes):
    fields = [SourceField(f"f{i}", "int64", shape, targets.STATE) for i, shape in enumerate(shapes)]
    sizes = [int(np.prod(shape, dtype=int)) for shape in shapes]
    numbers = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
    values = {f.name: part.reshape(f.shape) for f, part in zip(fields, numbers, strict=True)}
    plan = ImportPlan(fields)
    assert plan.frame(values)[targets.STATE].tolist() == list(range(sum(sizes)))
    assert len(set(plan.features[targets.STATE]["names"])) == sum(sizes)


@pytest.mark.parametrize(
    ("overrides", "what", "keys"),
    [
        ({"obs/poz": "x"}, "no field 'obs/poz'(.|\n)*Did you mean 'obs/pos'", ["obs/poz"]),
        ({"obs/pos": TASK}, "float64 values, so it cannot be the task", ["obs/pos"]),
        ({"obs/pos": "observation.images.pos"}, "which are no images", ["obs/pos"]),
        ({"action": "observation.images.front"}, "both become observation.images.front", None),
        ({"lang": "action"}, "both become action", None),
        ({field.name: None for field in FIELDS}, "no field of the source becomes a feature", []),
    ],
)
def test_a_map_that_does_not_fit(overrides, what, keys):
    with pytest.raises(FeatureMismatchError, match=what) as caught:
        ImportPlan(FIELDS, overrides)
    assert keys is None or caught.value.keys == tuple(keys)


def test_two_instructions_are_one_too_many():
    with pytest.raises(FeatureMismatchError, match="'other' and lang are both the task"):
        ImportPlan([*FIELDS, SourceField("other", TEXT, (), TASK)])


def test_a_value_of_another_shape_than_the_source_said():
    plan = ImportPlan([SourceField("action", "float32", (2,), "action")])
    with pytest.raises(FeatureMismatchError, match=r"'action' has shape \(3,\)"):
        plan.frame({"action": np.zeros(3, "f4")})
