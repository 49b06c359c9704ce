"""The contract of policies that read their task: besides that of every policy, what they refuse, and by which name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.checkpoint.files import WEIGHTS, Checkpoint
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import load_processors, make_processors
from lerobot.policies.processing.tokenizer import ATTENTION_MASK, TOKENS, TokenizerProcessorStep
from lerobot.policies.testing import TrainablePolicyContract, statistics
from lerobot.policies.vla.config import VLAConfig

Change = Callable[[dict[str, Tensor], str], object]
"""Spoils weights, of which one is named."""


class LanguagePolicyContract(TrainablePolicyContract):
    """A policy that reads its task, with a tiny configuration of at least two cameras, on the CPU.

    Supply what `TrainablePolicyContract` asks for; the batch holds tokens of a task as well.
    """

    @pytest.fixture
    def saved(self, policy: PreTrainedPolicy, config: PreTrainedConfig, tmp_path: Path) -> Path:
        """A folder with the policy and its processors."""
        folder = tmp_path / "saved"
        PolicyWithProcessors(policy, make_processors(config, statistics(config))).save_pretrained(folder)
        return folder

    def observation(self, batch: dict[str, Any]) -> dict[str, Any]:
        """See `PolicyContract.observation`; the task is there in words too."""
        return {**super().observation(batch), "task": ["pick up the cube"] * len(batch["action"])}

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (lambda weights, name: weights.pop(name), "lacks {name}"),
            (lambda weights, _: weights.update({"model.more": torch.zeros(1)}), "does not have: model.more"),
            (lambda weights, name: weights.update({name: torch.zeros(1, 7)}), r"another form: {name} \(1, 7\)"),
            (lambda weights, name: weights.update({name: weights[name].int()}), "int32 instead of"),
        ],
        ids=["missing", "extra", "mis-shaped", "of another kind"],
    )
    def test_wrong_weights_are_refused(self, saved: Path, change: Change, expected: str) -> None:
        """Weights that are not exactly those of the policy are refused by name, before and while they are loaded.

        Repair: let `published` rename, and forgive nothing.
        """
        weights = load_file(saved / WEIGHTS)
        name = next(name for name in reversed(weights) if weights[name].ndim == 2)
        change(weights, name)
        save_file(weights, saved / WEIGHTS)
        config = Checkpoint.at(saved).config().model_copy(update={"pretrained_path": str(saved)})
        for load in (
            lambda: PreTrainedPolicy.from_pretrained(saved),
            lambda: PolicyWithProcessors.from_pretrained(saved),
            lambda: PreTrainedPolicy.check_pretrained(config),
        ):
            with pytest.raises(CheckpointError, match=expected.format(name=name)):
                load()

    def test_truncated_weights_are_refused(self, saved: Path) -> None:
        """A file that ends too early is refused.

        Repair: load through `PreTrainedPolicy.from_pretrained` alone.
        """
        path = saved / WEIGHTS
        path.write_bytes(path.read_bytes()[:-10])
        with pytest.raises(CheckpointError, match="a complete safetensors file"):
            PreTrainedPolicy.from_pretrained(saved)

    def test_statistics_under_other_names_are_refused_and_those_of_a_dataset_mend_it(
        self, saved: Path, config: PreTrainedConfig
    ) -> None:
        """Statistics of features that the policy does not have are none: it would run unscaled.

        Repair: scale by the steps `normalizer_processor` and `unnormalizer_processor`.
        """
        for path in saved.glob("*normalizer_processor.safetensors"):
            save_file({f"so100.{name}": each for name, each in load_file(path).items()}, path)
        with pytest.raises(CheckpointError, match=r"no statistics .*action\..*it has those of .*so100\.") as raised:
            PolicyWithProcessors.from_pretrained(saved)
        assert "--dataset.repo_id" in str(raised.value.hint)
        given = {"stats": statistics(config)}
        mended = load_processors(
            config,
            Checkpoint.at(saved),
            overrides={"normalizer_processor": given},
            post_overrides={"unnormalizer_processor": given},
        )
        action = torch.ones(1, *config.output_features["action"].shape)
        expected = make_processors(config, statistics(config)).postprocessor(action)
        assert torch.equal(mended.postprocessor(action), expected)

    def test_a_tokenizer_of_another_model_is_refused(self, saved: Path, config: PreTrainedConfig) -> None:
        """A tokenizer whose tokens the language model does not know is refused.

        Repair: say in `vocabulary` of the configuration how many it knows.
        """
        steps = make_processors(config, statistics(config)).preprocessor.steps
        tokenizer = next(step for step in steps if isinstance(step, TokenizerProcessorStep)).tokenizer
        tokenizer.add_tokens([f"<word{index}>" for index in range(50)])
        tokenizer.save_pretrained(saved / "tokenizer")
        with pytest.raises(CheckpointError, match=rf"has \d+ tokens, .*knows {config.vocabulary}"):
            PolicyWithProcessors.from_pretrained(saved)

    def test_missing_inputs_are_refused(self, policy: Any, config: PreTrainedConfig, batch: dict[str, Any]) -> None:
        """A camera, the state or the tokens that are missing are named, whatever is asked of the policy.

        Repair: call `require_inputs` first.
        """
        for key in (list(config.image_features)[-1], "observation.state", TOKENS, ATTENTION_MASK):
            rest = {name: value for name, value in batch.items() if name != key}
            for call in (policy.forward, policy.predict_action_chunk, policy.select_action):
                with pytest.raises(FeatureMismatchError, match=f"got no '{key}'"):
                    call(rest)


class VLAContract(LanguagePolicyContract):
    """A vision-language-action model: what `LanguagePolicyContract` asks for, and cameras that may be missing."""

    def test_a_camera_may_be_missing_if_the_settings_say_so(self, config: VLAConfig, batch: dict[str, Any]) -> None:
        """With `empty_cameras` the policy acts without a camera, and says in its configuration that it may.

        Repair: get images from `camera_images`.
        """
        fields = config.model_dump(mode="json")
        policy = self.make(type(config).model_validate({**fields, "empty_cameras": 1}))
        del batch[list(config.image_features)[-1]]
        assert policy.predict_action_chunk(batch).shape == batch["action"].shape
        assert "observation.images.empty_camera_0" in policy.config.input_features
