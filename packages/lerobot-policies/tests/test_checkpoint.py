"""Saved policies: they come back exactly, or not at all, and the reason names what is wrong."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch
from safetensors.torch import load_file, safe_open, save_file

from lerobot.core.config import load
from lerobot.core.config.base import ConfigModel
from lerobot.core.errors import CheckpointError, ConfigError, FeatureMismatchError
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.checkpoint.files import Checkpoint, saved_fields
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import make_processors

NORMALIZER_STATE = "policy_preprocessor_step_3_normalizer_processor.safetensors"


@pytest.fixture
def saved(tmp_path: Path, config: Any, stats: Any) -> Path:
    """A complete checkpoint."""
    folder = tmp_path / "saved"
    torch.manual_seed(0)
    PolicyWithProcessors(config.build(), make_processors(config, stats)).save_pretrained(folder)
    return folder


def action(pair: PolicyWithProcessors, observation: dict[str, torch.Tensor]) -> torch.Tensor:
    pair.policy.reset()
    with torch.no_grad():
        return pair.processors.postprocessor(pair.policy.select_action(pair.processors.preprocessor(observation)))


def edit_json(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def edit_weights(path: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    weights = load_file(path)
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    change(weights)
    save_file(weights, path, metadata)


# --- coming back -----------------------------------------------------------------------------------------------------


def test_a_saved_policy_comes_back_exactly(saved: Path, observation: Any) -> None:
    first = PolicyWithProcessors.from_pretrained(saved)
    again = PolicyWithProcessors.from_pretrained(saved)
    assert first.policy.config == again.policy.config
    assert torch.equal(action(first, observation), action(again, observation))
    assert not first.policy.training
    assert not first.policy.from_scratch  # type: ignore[attr-defined]


def test_a_tilde_is_the_home_folder(saved: Path, config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(saved.parent))
    pair = PolicyWithProcessors.from_pretrained("~/saved")
    pair.save_pretrained("~/again")
    assert sorted(path.name for path in saved.with_name("again").iterdir()) == sorted(p.name for p in saved.iterdir())
    assert type(config)(pretrained_path="~/saved").pretrained_path == str(saved)


def test_the_files_are_those_of_the_peer(saved: Path) -> None:
    assert sorted(path.name for path in saved.iterdir()) == [
        "config.json",
        "model.safetensors",
        "policy_postprocessor.json",
        "policy_postprocessor_step_0_unnormalizer_processor.safetensors",
        "policy_preprocessor.json",
        NORMALIZER_STATE,
    ]
    config = json.loads((saved / "config.json").read_text())
    assert list(config)[:14] == [
        *("type", "n_obs_steps", "input_features", "output_features", "device", "use_amp", "use_peft", "push_to_hub"),
        *("repo_id", "private", "tags", "license", "pretrained_path", "pretrained_revision"),
    ]
    with safe_open(saved / "model.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt", "tied.weight": "layer.weight"}
        assert set(file.keys()) == {"layer.weight", "layer.bias"}


def test_the_action_is_in_the_units_of_the_dataset(saved: Path, observation: Any) -> None:
    pair = PolicyWithProcessors.from_pretrained(saved)
    state = (observation["observation.state"] - torch.tensor([0.0, 1.0, 2.0])) / torch.tensor([1.0, 0.5, 0.25])
    scaled = pair.policy.layer(state)  # type: ignore[operator]
    expected = (scaled + 1) / 2 * torch.tensor([2.0, 10.0]) + torch.tensor([-1.0, 0.0])
    assert torch.allclose(action(pair, observation)[0], expected.detach(), atol=1e-5)


def test_a_training_checkpoint_is_found_by_its_folder(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "000100").mkdir()
    saved.rename(tmp_path / "000100" / "pretrained_model")
    assert Checkpoint.at(tmp_path / "000100").config().type == "tiny"


def test_the_folder_of_a_run_is_answered_with_its_newest_policy(saved: Path, tmp_path: Path) -> None:
    newest = shutil.copytree(saved, tmp_path / "run/checkpoints/last/pretrained_model")
    with pytest.raises(CheckpointError, match="is the folder of a training run") as caught:
        Checkpoint.at(tmp_path / "run").fields()
    assert caught.value.hint == f"Its newest policy: {newest}"


def test_saving_over_a_checkpoint_leaves_no_scraps(saved: Path, config: Any, stats: Any) -> None:
    before = sorted(path.name for path in saved.iterdir())
    pair = PolicyWithProcessors(config.build(), make_processors(config, stats))
    pair.save_pretrained(saved)
    assert sorted(path.name for path in saved.iterdir()) == before
    loaded = PreTrainedPolicy.from_pretrained(saved)
    assert torch.equal(loaded.layer.weight, pair.policy.layer.weight)  # type: ignore[union-attr, arg-type]


def test_features_may_be_null_in_old_files(saved: Path) -> None:
    edit_json(saved / "config.json", lambda content: content.update(input_features=None))
    assert Checkpoint.at(saved).config().input_features == {}


# --- refusing --------------------------------------------------------------------------------------------------------


def refused(saved: Path, pattern: str, error: type[Exception] = CheckpointError) -> None:
    with pytest.raises(error, match=pattern):
        PolicyWithProcessors.from_pretrained(saved)


def test_a_missing_weight_is_named(saved: Path) -> None:
    edit_weights(saved / "model.safetensors", lambda weights: weights.pop("layer.bias"))
    refused(saved, r"model\.safetensors lacks .*layer\.bias")


def test_an_unknown_weight_is_named(saved: Path) -> None:
    edit_weights(saved / "model.safetensors", lambda weights: weights.update({"head.weight": torch.zeros(1)}))
    refused(saved, r"does not have: head\.weight")


def test_a_weight_of_another_shape_is_named(saved: Path) -> None:
    policy = PreTrainedPolicy.from_pretrained(saved)
    weights = {**policy.state_dict(), "layer.bias": torch.zeros(5)}
    save_file({name: tensor.clone() for name, tensor in weights.items()}, saved / "model.safetensors")
    refused(saved, r"layer\.bias \(5,\) float32 instead of \(2,\) float32")


def test_a_weight_of_another_kind_is_named(saved: Path) -> None:
    policy = PreTrainedPolicy.from_pretrained(saved)
    weights = {**policy.state_dict(), "layer.bias": torch.zeros(2, dtype=torch.int64)}
    save_file({name: tensor.clone() for name, tensor in weights.items()}, saved / "model.safetensors")
    refused(saved, r"layer\.bias \(2,\) int64 instead of \(2,\) float32")


@pytest.mark.parametrize("kept", [0, 7, 60, -1])
def test_a_file_that_was_cut_off_is_refused(saved: Path, kept: int) -> None:
    content = (saved / "model.safetensors").read_bytes()
    (saved / "model.safetensors").write_bytes(content[:kept])
    refused(saved, r"model\.safetensors cannot be read")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "policy_postprocessor.json", NORMALIZER_STATE])
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    refused(saved, name.replace(".", r"\."))


def test_a_missing_preprocessor_is_no_old_checkpoint(saved: Path) -> None:
    (saved / "policy_preprocessor.json").unlink()
    refused(saved, r"policy_preprocessor\.json")


def test_a_missing_statistic_is_named(saved: Path) -> None:
    edit_weights(saved / NORMALIZER_STATE, lambda state: state.pop("observation.state.std"))
    refused(saved, r"normalizer_processor has no statistics observation\.state\.std")


def test_a_renamed_camera_is_named(saved: Path, observation: Any) -> None:
    pair = PolicyWithProcessors.from_pretrained(saved)
    observation["observation.images.front"] = observation.pop("observation.images.top")
    with pytest.raises(FeatureMismatchError, match=r"got no 'observation\.images\.top'"):
        action(pair, observation)


def test_an_image_of_another_size_is_named(saved: Path, observation: Any) -> None:
    pair = PolicyWithProcessors.from_pretrained(saved)
    observation["observation.images.top"] = torch.zeros(3, 8, 8)
    with pytest.raises(FeatureMismatchError, match=r"'observation\.images\.top' has the shape \(1, 3, 8, 8\)"):
        action(pair, observation)


def test_an_unknown_field_is_named(saved: Path) -> None:
    edit_json(saved / "config.json", lambda content: content.update(zzz=1))
    refused(saved, r"config\.json zzz: got '1', expected a field of the policy", ConfigError)


def test_an_unknown_policy_is_named(saved: Path) -> None:
    edit_json(saved / "config.json", lambda content: content.update(type="tini"))
    refused(saved, "no policy is named 'tini'")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"n_obs_steps": 1}'])
def test_a_damaged_configuration_is_refused(saved: Path, text: str) -> None:
    (saved / "config.json").write_text(text)
    refused(saved, r"config\.json")


def test_loading_is_always_strict(config: Any) -> None:
    policy = config.build()
    with pytest.raises(CheckpointError, match="only be loaded strictly"):
        policy.load_state_dict(policy.state_dict(), strict=False)
    with pytest.raises(CheckpointError, match=r"the state dict lacks layer\.bias"):
        policy.load_state_dict({name: each for name, each in policy.state_dict().items() if name != "layer.bias"})


def test_a_wrong_checkpoint_changes_nothing(config: Any) -> None:
    policy = config.build()
    before = {name: tensor.clone() for name, tensor in policy.state_dict().items()}
    with pytest.raises(CheckpointError):
        policy.load_state_dict(
            {**{name: torch.zeros_like(each) for name, each in before.items()}, "more": torch.ones(1)}
        )
    assert all(torch.equal(policy.state_dict()[name], before[name]) for name in before)


@pytest.mark.parametrize("source", ["/no/such/folder", "./nothing", "a/b/c", "a/", "nothing"])
def test_a_folder_that_does_not_exist_is_no_repository(source: str) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        Checkpoint.at(source)


# --- old checkpoints -------------------------------------------------------------------------------------------------


def as_saved_before_processors(saved: Path, stats: Any) -> None:
    for path in saved.glob("policy_*"):
        path.unlink()

    def add(weights: dict[str, torch.Tensor]) -> None:
        for key, entry in stats.items():
            group = "unnormalize_outputs" if key == "action" else "normalize_inputs"
            for name, value in entry.items():
                weights[f"{group}.buffer_{key.replace('.', '_')}.{name}"] = value.clone()

    edit_weights(saved / "model.safetensors", add)


def test_a_checkpoint_from_before_processors_loads_directly(saved: Path, stats: Any, observation: Any) -> None:
    expected = action(PolicyWithProcessors.from_pretrained(saved), observation)
    as_saved_before_processors(saved, stats)
    assert torch.equal(action(PolicyWithProcessors.from_pretrained(saved), observation), expected)


def test_an_old_checkpoint_without_one_of_its_statistics_is_refused(saved: Path, stats: Any) -> None:
    as_saved_before_processors(saved, stats)
    edit_weights(
        saved / "model.safetensors", lambda weights: weights.pop("normalize_inputs.buffer_observation_state.mean")
    )
    refused(saved, r"no statistics observation\.state\.mean")


def test_statistics_of_no_feature_are_refused(saved: Path, stats: Any) -> None:
    as_saved_before_processors(saved, {**stats, "observation.other": {"mean": torch.zeros(1)}})
    refused(saved, "observation_other.mean belongs to no feature")


# --- the Hub ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(saved: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str | None]]:
    """A Hub with one repository, which is the saved folder."""
    from huggingface_hub.errors import RemoteEntryNotFoundError

    asked: list[tuple[str, str, str | None]] = []

    def download(repository: str, name: str, *, revision: str | None = None, local_files_only: bool) -> str:
        assert local_files_only, "tests have no Hub"
        asked.append((repository, name, revision))
        if not (saved / name).exists():
            raise RemoteEntryNotFoundError(name, response=Mock())
        return str(saved / name)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)

    def download_folder(repository: str, *, revision: str | None, allow_patterns: str, local_files_only: bool) -> str:
        assert local_files_only, "tests have no Hub"
        asked.append((repository, allow_patterns, revision))
        return str(saved)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download_folder)
    return asked


def test_folders_of_a_repository_are_found_or_not(saved: Path, hub: Any) -> None:
    (saved / "tokenizer").mkdir()
    checkpoint = Checkpoint.at("someone/tiny", "v1")
    (saved / "tokenizer" / "words.json").write_text("{}")
    assert checkpoint.resolve("someone/tiny", "tokenizer/words.json") == saved / "tokenizer" / "words.json"
    with pytest.raises(FileNotFoundError, match="someone/tiny has no other"):
        checkpoint.resolve("someone/tiny", "other")
    assert hub[-1] == ("someone/tiny", "other/*", "v1")


def test_a_repository_is_loaded_like_a_folder(saved: Path, hub: Any, observation: Any) -> None:
    pair = PolicyWithProcessors.from_pretrained("someone/tiny", revision="v1")
    assert torch.equal(action(pair, observation), action(PolicyWithProcessors.from_pretrained(saved), observation))
    assert {(repository, revision) for repository, _, revision in hub} == {("someone/tiny", "v1")}


def test_a_repository_without_weights_is_refused(saved: Path, hub: Any) -> None:
    (saved / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"someone/tiny has no model\.safetensors"):
        PolicyWithProcessors.from_pretrained("someone/tiny")


@pytest.mark.parametrize(("offline", "hint"), [(True, "Unset HF_HUB_OFFLINE"), (False, "Check the connection")])
def test_no_connection_is_said_after_one_question(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, offline: bool, hint: str
) -> None:
    from huggingface_hub import constants, hf_hub_download

    asked = []

    def download(*given: Any, **settings: Any) -> str:
        asked.append(settings)
        return hf_hub_download(*given, cache_dir=tmp_path, **settings)

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # where nobody listens
    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    with pytest.raises(CheckpointError, match=r"config\.json of someone/tiny is not on this computer") as caught:
        Checkpoint.at("someone/tiny").config()
    assert caught.value.hint.startswith(hint)
    assert [each["local_files_only"] for each in asked] == [True], "not tried again and again"


# --- making ----------------------------------------------------------------------------------------------------------


def provided(config: Any) -> dict[str, PolicyFeature]:
    return {**config.input_features, **config.output_features}


def test_a_new_policy_takes_the_features_of_the_dataset(config: Any) -> None:
    empty = config.model_copy(update={"input_features": {}, "output_features": {}})
    policy = make_policy(empty, provided(config))
    assert policy.config == config
    assert policy.from_scratch  # type: ignore[attr-defined]


def test_outputs_are_always_those_of_the_dataset_and_inputs_only_if_none_are_chosen(config: Any) -> None:
    state = {"observation.state": config.input_features["observation.state"]}
    chosen = config.model_copy(update={"input_features": state, "output_features": {}})
    policy = make_policy(chosen, provided(config))
    assert policy.config.input_features == state
    assert policy.config.output_features == config.output_features


def test_a_camera_the_dataset_does_not_have_is_named(config: Any) -> None:
    features = provided(config)
    features["observation.images.front"] = features.pop("observation.images.top")
    with pytest.raises(FeatureMismatchError, match=r"observation\.images\.top is missing"):
        make_policy(config, features)
    policy = make_policy(config, features, rename_map={"observation.images.front": "observation.images.top"})
    assert policy.config.input_features == config.input_features


def test_a_state_of_another_size_is_named(config: Any) -> None:
    features = {**provided(config), "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(7,))}
    with pytest.raises(FeatureMismatchError, match=r"observation\.state has the shape \(7,\) instead of \(3,\)"):
        make_policy(config, features)


def test_training_goes_on_from_saved_weights_with_their_processors(saved: Path, config: Any, stats: Any) -> None:
    pretrained = Checkpoint.at(saved).config().model_copy(update={"pretrained_path": str(saved)})
    policy = make_policy(pretrained, provided(config))
    assert torch.equal(policy.layer.weight, PreTrainedPolicy.from_pretrained(saved).layer.weight)  # type: ignore[union-attr, arg-type]
    other = {**stats, "observation.state": {"mean": torch.full((3,), 9.0), "std": torch.ones(3)}}
    kept = make_pre_post_processors(pretrained, other)
    replaced = make_pre_post_processors(pretrained, other, new_statistics=True)
    key = "observation.state.mean"
    assert kept.preprocessor.steps[3].state_dict()[key].tolist() == [0.0, 1.0, 2.0]
    assert replaced.preprocessor.steps[3].state_dict()[key].tolist() == [9.0, 9.0, 9.0]


def test_trained_outputs_are_not_replaced_by_those_of_another_robot(saved: Path) -> None:
    pretrained = Checkpoint.at(saved).config().model_copy(update={"pretrained_path": str(saved)})
    features = {**provided(pretrained), "action": PolicyFeature(type=FeatureType.ACTION, shape=(7,))}
    with pytest.raises(FeatureMismatchError, match=r"robot does not .*action has the shape \(7,\) instead of \(2,\)"):
        make_policy(pretrained, features, provider="the robot")


@pytest.mark.parametrize("from_saved", [True, False])
def test_observations_are_renamed_on_the_way_in(
    saved: Path, config: Any, stats: Any, observation: Any, from_saved: bool
) -> None:
    used = config.model_copy(update={"pretrained_path": str(saved)}) if from_saved else config
    processors = make_pre_post_processors(
        used, stats, rename_map={"observation.images.front": "observation.images.top"}
    )
    observation["observation.images.front"] = observation.pop("observation.images.top")
    assert "observation.images.top" in processors.preprocessor(observation)


def test_new_processors_need_every_statistic(config: Any, stats: Any) -> None:
    del stats["action"]
    with pytest.raises(CheckpointError, match=r"no statistics action\.min, action\.max"):
        make_pre_post_processors(config, stats)


# --- the command line ------------------------------------------------------------------------------------------------


class Command(ConfigModel):
    """A command with a policy."""

    policy: PreTrainedConfig


def test_a_path_fills_the_section_and_flags_override_it(saved: Path) -> None:
    command = load(Command, [f"--policy.path={saved}", "--policy.use_amp=true"]).config
    assert command.policy.type == "tiny"
    assert command.policy.use_amp
    assert command.policy.pretrained_path == str(saved)


def test_a_path_to_nothing_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--policy\.path"):
        load(Command, [f"--policy.path={tmp_path}"])


def test_a_revision_beside_the_path_is_the_one_that_is_read(hub: Any) -> None:
    fields = saved_fields("someone/tiny", {"pretrained_revision": "v2"})
    assert fields["pretrained_revision"] == "v2"
    assert hub == [("someone/tiny", "config.json", "v2")]
