"""The contract of reward models."""

from typing import Any, ClassVar

import numpy as np
import pytest

from lerobot.core.config.judges import RewardModelConfig
from lerobot.core.errors import FeatureMismatchError
from lerobot.core.protocols import RewardModel
from lerobot.core.testing.contracts.arrays import changed, rows, snapshot
from lerobot.core.testing.contracts.base import Contract

_TASK = "do what is to be done"


class RewardModelContract(Contract):
    """A reward model. Supply the fixtures `config` and `frames`.

    Attributes:
        tolerance: largest difference allowed between frames judged at once and one after another.
    """

    tolerance: ClassVar[float] = 1e-5

    @pytest.fixture
    def config(self) -> RewardModelConfig:
        """Configuration of the model."""
        pytest.fail("define a fixture `config` that returns your reward model's configuration")

    @pytest.fixture
    def frames(self) -> dict[str, Any]:
        """Four frames of an episode: every input, `(4, ...)`."""
        pytest.fail("define a fixture `frames` with four frames of everything your reward model looks at")

    @pytest.fixture
    def model(self, config: RewardModelConfig) -> Any:
        """The model, at the begin of an episode."""
        model = config.build()
        model.reset()
        return model

    def test_it_fulfils_the_protocol(self, model: Any, frames: dict[str, Any]) -> None:
        """The model has every member of the `RewardModel` protocol, and names what it looks at.

        Repair: add the member that is missing; `inputs` are keys of a dataset.
        """
        assert isinstance(model, RewardModel)
        assert list(model.inputs)
        assert set(model.inputs) <= frames.keys()

    def test_config_survives_json(self, config: RewardModelConfig) -> None:
        """A configuration written as JSON and read again is the same one.

        Repair: give fields types pydantic can write and read.
        """
        assert type(config).model_validate_json(config.model_dump_json()) == config

    def test_a_reward_per_frame(self, model: Any, frames: dict[str, Any]) -> None:
        """`rewards` gives `(4,)` finite float32, and changes nothing it was given.

        Repair: keep the axis of the frames, and copy before you write.
        """
        before = snapshot(frames)
        found = model.rewards(frames, _TASK)
        assert isinstance(found, np.ndarray)
        assert (found.shape, found.dtype) == ((4,), np.float32)
        assert np.isfinite(found).all()
        assert not changed(before, snapshot(frames))

    def test_frames_one_by_one_are_the_same(self, model: Any, frames: dict[str, Any]) -> None:
        """Frames of an episode get the same rewards however many are given at once.

        Repair: remember from call to call what you need of the frames before, and use no statistics over the frames.
        """
        together = model.rewards(frames, _TASK)
        model.reset()
        single = [model.rewards(rows(frames, slice(index, index + 1), 4), _TASK)[0] for index in range(4)]
        assert np.abs(together - np.array(single)).max() <= self.tolerance

    def test_reset_forgets_the_episode(self, model: Any, frames: dict[str, Any]) -> None:
        """After `reset` frames get the rewards that they got at first.

        Repair: forget in `reset` what you remember of frames.
        """
        first = model.rewards(frames, _TASK)
        model.reset()
        assert np.array_equal(model.rewards(frames, _TASK), first)

    def test_a_missing_input_is_named(self, model: Any, frames: dict[str, Any]) -> None:
        """Without one of its inputs it raises a `FeatureMismatchError` that names it.

        Repair: look at `inputs` first; pass `keys=[...]` to the error.
        """
        missing = next(iter(model.inputs))
        with pytest.raises(FeatureMismatchError) as refused:
            model.rewards({key: value for key, value in frames.items() if key != missing}, _TASK)
        assert missing in refused.value.keys
