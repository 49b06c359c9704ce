"""The contract of processor steps."""

import json
from typing import Any, ClassVar

import numpy as np
import pytest

from lerobot.core.config.base import ProcessorStepConfig
from lerobot.core.processors import TransitionKey, build_step
from lerobot.core.protocols import Invertible, ProcessorStep
from lerobot.core.testing.contracts.arrays import to_numpy
from lerobot.core.testing.contracts.base import Contract
from lerobot.core.types import FeatureSpec

ENTRIES = (TransitionKey.OBSERVATION, TransitionKey.ACTION)


class ProcessorContract(Contract):
    """A processor step. Supply the fixtures `config` and `transition`; override `make` if it has dependencies.

    Attributes:
        tolerance: largest difference `inverse` may leave in a number.
    """

    tolerance: ClassVar[float] = 1e-5
    optional: ClassVar[dict[str, str]] = {
        "inverse": "the step has `inverse()`, which gives the step that undoes it",
        "state": "`state_dict()` is not empty after a call",
    }

    @pytest.fixture
    def config(self) -> ProcessorStepConfig:
        """Configuration of the step."""
        pytest.fail("define a fixture `config` that returns your step's configuration")

    @pytest.fixture
    def transition(self) -> dict[str, Any]:
        """A transition the step accepts, from `lerobot.core.processors.create_transition`."""
        pytest.fail("define a fixture `transition` that your step accepts")

    def make(self, config: ProcessorStepConfig) -> Any:
        """Build the step."""
        return build_step(config)

    @pytest.fixture
    def step(self, config: ProcessorStepConfig) -> Any:
        """The step, not called yet."""
        return self.make(config)

    def test_it_fulfils_the_protocol(self, step: Any, config: ProcessorStepConfig) -> None:
        """The step has every member of the `ProcessorStep` protocol and the name it is registered under.

        Repair: derive from `lerobot.core.processors.ProcessorStep` and give `type` its default.
        """
        assert isinstance(step, ProcessorStep)
        assert step.registry_name == config.type

    def test_a_transition_stays_complete(self, step: Any, transition: dict[str, Any]) -> None:
        """The result has every entry of a transition.

        Repair: return `{**transition, entry: new}` instead of a dict with only your entry.
        """
        assert set(step(transition)) >= {str(key) for key in TransitionKey}

    def test_the_transition_given_is_not_changed(self, step: Any, transition: dict[str, Any]) -> None:
        """Neither the transition nor anything in it is written to.

        Repair: copy dicts before adding keys, and compute new arrays instead of writing in place.
        """
        before = _frozen(transition)
        step(transition)
        assert _equal(before, _frozen(transition))

    def test_features_describe_the_result(self, step: Any, transition: dict[str, Any]) -> None:
        """`transform_features` says the keys and shapes that a call really produces.

        Repair: change features in `transform_features` the way the call changes values.
        """
        declared = step.transform_features(_features(transition))
        produced = _features(step(transition))
        for entry in ENTRIES:
            if isinstance(transition[entry], dict):
                assert _shapes(declared[entry]) == _shapes(produced[entry]), f"features of the {entry}"

    def test_features_given_are_not_changed(self, step: Any, transition: dict[str, Any]) -> None:
        """`transform_features` returns new mappings where it changes something.

        Repair: copy the mapping before changing it.
        """
        features = _features(transition)
        before = {entry: dict(values) for entry, values in features.items()}
        step.transform_features(features)
        assert features == before

    def test_the_saved_configuration_gives_the_same_step(
        self, step: Any, config: ProcessorStepConfig, transition: dict[str, Any]
    ) -> None:
        """A step built from `get_config()` after a trip through JSON acts the same.

        Repair: make everything that matters a field of the configuration.
        """
        saved = json.loads(json.dumps(step.get_config()))
        again = self.make(type(config).model_validate({**saved, "type": config.type}))
        assert again.get_config() == step.get_config()
        assert _equal(_frozen(again(transition)), _frozen(step(transition)))

    def test_the_saved_state_is_complete(
        self, step: Any, config: ProcessorStepConfig, transition: dict[str, Any]
    ) -> None:
        """A new step that loads `state_dict()` has the same state.

        Repair: save every array that a call depends on and take all of them over in `load_state_dict`.
        """
        step(transition)
        state = step.state_dict()
        self.require("state", bool(state))
        again = self.make(config)
        again.load_state_dict(state)
        assert _equal(_frozen(again.state_dict()), _frozen(state))
        assert _equal(_frozen(again(transition)), _frozen(step(transition)))

    def test_reset_starts_over(self, step: Any, config: ProcessorStepConfig, transition: dict[str, Any]) -> None:
        """After `reset` a step acts like a new one: nothing of one episode reaches the next.

        Repair: clear everything a call remembers in `reset`.
        """
        fresh = _frozen(self.make(config)(transition))
        step(transition)
        step(transition)
        step.reset()
        assert _equal(_frozen(step(transition)), fresh)

    def test_the_inverse_undoes_it(self, step: Any, transition: dict[str, Any]) -> None:
        """`inverse()` gives the step that brings observation and action back.

        Repair: correct the inverse; a step that loses information must not offer one.
        """
        self.require("inverse", isinstance(step, Invertible))
        back = step.inverse()(step(transition))
        for entry in ENTRIES:
            assert _equal(_frozen(back[entry]), _frozen(transition[entry]), self.tolerance), f"the {entry} differs"


def _features(transition: dict[str, Any]) -> dict[str, dict[str, FeatureSpec]]:
    """Features of what is in a transition; none for an action that is no mapping."""
    return {
        str(entry): {key: _feature(value) for key, value in (transition[entry] or {}).items()}
        if isinstance(transition[entry], dict)
        else {}
        for entry in ENTRIES
    }


def _feature(value: Any) -> FeatureSpec:
    if isinstance(value, str):
        return FeatureSpec("string")
    return FeatureSpec(
        str(getattr(value, "dtype", "float32")).removeprefix("torch."), tuple(getattr(value, "shape", ()))
    )


def _shapes(features: dict[str, FeatureSpec]) -> dict[str, tuple[int, ...]]:
    return {key: feature.shape for key, feature in features.items()}


def _frozen(value: Any) -> Any:
    """A copy whose arrays are numpy's."""
    if isinstance(value, dict):
        return {str(key): _frozen(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_frozen(item) for item in value]
    return to_numpy(value) if hasattr(value, "shape") else value


def _equal(first: Any, second: Any, tolerance: float = 0.0) -> bool:
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_equal(first[key], second[key], tolerance) for key in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(_equal(a, b, tolerance) for a, b in zip(first, second, strict=True))
    if isinstance(first, np.ndarray | float) and isinstance(second, np.ndarray | float):
        return np.shape(first) == np.shape(second) and np.allclose(
            first, second, rtol=0, atol=tolerance, equal_nan=True
        )
    return bool(first == second)
