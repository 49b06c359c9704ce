"""What pipelines do around their steps."""

import subprocess
import sys

import numpy as np
import pytest

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors import (
    ActionProcessorStep,
    ComplementaryDataProcessorStep,
    DataProcessorPipeline,
    DoneProcessorStep,
    IdentityProcessorStep,
    InfoProcessorStep,
    ObservationProcessorStep,
    PolicyActionProcessorStep,
    PolicyProcessorPipeline,
    ProcessorStep,
    RewardProcessorStep,
    RobotActionProcessorStep,
    RobotProcessorPipeline,
    TruncatedProcessorStep,
    create_transition,
    identity_transition,
    robot_action_to_transition,
    transition_to_robot_action,
)
from lerobot.core.processors.config import IdentityConfig, RenameActionsConfig, TimeLimitConfig
from lerobot.core.protocols import ProcessorStep as ProcessorStepProtocol
from lerobot.core.types import FeatureSpec


class Add(RobotActionProcessorStep):
    def action(self, action):
        action["a"] += 1
        return action


def pipeline(*steps: ProcessorStep, **kwargs) -> DataProcessorPipeline:
    return DataProcessorPipeline(
        list(steps), to_transition=robot_action_to_transition, to_output=transition_to_robot_action, **kwargs
    )


def test_steps_run_in_order_and_the_input_stays() -> None:
    given = {"a": 1}
    rename = RenameActionsConfig(rename_map={"a": "b"}).build()
    assert pipeline(Add(IdentityConfig()), Add(IdentityConfig()), rename)(given) == {"b": 3}
    assert given == {"a": 1}


def test_hooks_see_every_step_and_may_change_the_transition_but_not_the_input() -> None:
    seen = []
    given = {"a": 1}
    p = pipeline(Add(IdentityConfig()), Add(IdentityConfig()))

    def before(index, transition):
        seen.append(("before", index, transition["action"]["a"]))

    def after(index, transition):
        seen.append(("after", index, transition["action"]["a"]))
        transition["action"]["a"] *= 10
        return "ignored"

    p.register_before_step_hook(before)
    p.register_after_step_hook(after)
    assert p(given) == {"a": 210}
    assert seen == [("before", 0, 1), ("after", 0, 2), ("before", 1, 20), ("after", 1, 21)]
    assert given == {"a": 1}
    p.unregister_after_step_hook(after)
    p.unregister_before_step_hook(before)
    assert p(given) == {"a": 3}
    with pytest.raises(ValueError):
        p.unregister_before_step_hook(before)
    with pytest.raises(ValueError):
        p.unregister_after_step_hook(after)


def test_a_hook_before_the_first_step_does_not_reach_the_input() -> None:
    given = {"a": 1}
    hook = lambda index, transition: transition["action"].update(a=5)  # noqa: E731
    assert pipeline(Add(IdentityConfig()), before_step_hooks=[hook])(given) == {"a": 6}
    assert given == {"a": 1}


def test_step_through_shows_every_stage_without_hooks() -> None:
    calls = []
    p = pipeline(Add(IdentityConfig()), Add(IdentityConfig()), before_step_hooks=[lambda *args: calls.append(args)])
    assert [stage["action"]["a"] for stage in p.step_through({"a": 0})] == [0, 1, 2]
    assert not calls


def test_slices_share_steps_converters_and_hooks() -> None:
    calls = []
    steps = [Add(IdentityConfig()) for _ in range(3)]
    p = pipeline(*steps, name="three", after_step_hooks=[lambda *args: calls.append(args)])
    part = p[1:]
    assert len(p) == 3
    assert len(part) == 2
    assert part[0] is p[1] is steps[1]
    assert p[-1] is steps[2]
    assert part.name == "three"
    assert part({"a": 0}) == {"a": 2}
    assert len(calls) == 2
    part.register_before_step_hook(lambda *args: None)
    assert not p.before_step_hooks
    with pytest.raises(IndexError):
        p[3]


def test_reset_reaches_every_step() -> None:
    limit = TimeLimitConfig(max_episode_steps=2).build()
    p = DataProcessorPipeline([limit], to_transition=identity_transition, to_output=identity_transition)
    assert [p(create_transition())["truncated"] for _ in range(3)] == [False, True, True]
    p.reset()
    assert p(create_transition())["truncated"] is False


def test_the_aliases_are_the_pipeline() -> None:
    assert RobotProcessorPipeline is PolicyProcessorPipeline is DataProcessorPipeline
    assert repr(DataProcessorPipeline([IdentityConfig().build()], "p")) == (
        "DataProcessorPipeline(name='p', steps=[identity_processor])"
    )


BASES = [
    (ObservationProcessorStep, "observation", {"a": 1}),
    (ActionProcessorStep, "action", np.zeros(2)),
    (RobotActionProcessorStep, "action", {"a": 1}),
    (PolicyActionProcessorStep, "action", np.zeros(2)),
    (RewardProcessorStep, "reward", 1.0),
    (DoneProcessorStep, "done", True),
    (TruncatedProcessorStep, "truncated", True),
    (InfoProcessorStep, "info", {"a": 1}),
    (ComplementaryDataProcessorStep, "complementary_data", {"a": 1}),
]


@pytest.mark.parametrize(("base", "entry", "value"), BASES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_typed_step_changes_its_entry_only(base, entry, value) -> None:
    result = object()
    seen = []
    step = type("Step", (base,), {entry: lambda self, given: seen.append((given, self.transition)) or result})(
        IdentityConfig()
    )
    transition = create_transition(observation={"o": 1}) | {entry: value}
    before = dict(transition)
    assert step(transition) == before | {entry: result}
    assert transition == before
    assert seen[0][1] is transition
    assert isinstance(step, ProcessorStepProtocol)
    with pytest.raises(FeatureMismatchError) as raised:
        step(transition | {entry: None})
    assert raised.value.keys == (entry,)
    name = f"process_{entry}"
    assert getattr(DataProcessorPipeline([step]), name)(value) is result


@pytest.mark.parametrize(("base", "wrong"), [(RobotActionProcessorStep, np.zeros(2)), (PolicyActionProcessorStep, {})])
def test_typed_actions_are_checked(base, wrong) -> None:
    step = type("Step", (base,), {"action": lambda self, action: action})(IdentityConfig())
    with pytest.raises(ValueError, match="action"):
        step(create_transition(action=wrong))


def test_a_step_without_state_refuses_one() -> None:
    step = IdentityProcessorStep(IdentityConfig())
    step.load_state_dict({})
    with pytest.raises(FeatureMismatchError, match="mean"):
        step.load_state_dict({"mean": np.zeros(1)})
    with pytest.raises(FeatureMismatchError, match="no transition"):
        _ = step.transition


def test_feature_contracts_fold_and_errors_name_step_and_key() -> None:
    rename = RenameActionsConfig(rename_map={"a": "b"}).build()
    p = pipeline(IdentityConfig().build(), rename, name="arm")
    initial = {"action": {"a": FeatureSpec(unit="deg")}}
    assert p.transform_features(initial) == {"observation": {}, "action": {"b": FeatureSpec(unit="deg")}}
    assert initial == {"action": {"a": FeatureSpec(unit="deg")}}
    with pytest.raises(FeatureMismatchError) as raised:
        p.transform_features({"action": {"a": FeatureSpec(), "b": FeatureSpec()}})
    assert raised.value.keys == ("b",)
    assert "step 1 (rename_actions_processor) of 'arm'" in str(raised.value)


WITHOUT_NUMPY = """
import sys
sys.modules["numpy"] = sys.modules["torch"] = None
from lerobot.core.processors import RobotProcessorPipeline, robot_action_observation_to_transition
from lerobot.core.processors import transition_to_robot_action
from lerobot.core.processors.config import ClipConfig, RelativeJointActionsConfig, RenameActionsConfig
p = RobotProcessorPipeline(
    [RelativeJointActionsConfig(motor_names=["a"]).build(), ClipConfig(limits={"a.pos": (-1, 1)}).build(),
     RenameActionsConfig(rename_map={"a.pos": "b.pos"}).build()],
    to_transition=robot_action_observation_to_transition, to_output=transition_to_robot_action)
sys.stdout.write(str(p(({"a.pos": 5.0}, {"a.pos": 1.0}))))
"""


def test_dicts_of_floats_need_no_array_framework() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_NUMPY], capture_output=True, text=True, check=False)
    assert done.stdout == "{'b.pos': 1.0}", done.stderr
