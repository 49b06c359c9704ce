"""`lerobot export`: files that act like the policy on what a robot gives, or no files."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor

from lerobot.core.config import load
from lerobot.core.errors import ConfigError, FeatureMismatchError, LeRobotError
from lerobot.core.fake.config import FakeCameraConfig, FakeRobotConfig
from lerobot.core.registry import registry
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.commands.export import ExportConfig
from lerobot.policies.export.command import export_command
from lerobot.policies.export.files import export
from lerobot.policies.export.format import ExportFormat
from lerobot.policies.export.parity import actions_of, compare, random_observations, require_alike
from lerobot.policies.export.program import Port, ports_of, trace
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.formats import ExportFormatConfig, OnnxConfig
from lerobot.policies.preflight.sources import describe_robot
from lerobot.policies.processing.pipelines import make_processors

STATE, PICTURE = "observation.state", "observation.images.top"


def offered(policy: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """What a policy offers: a chunk of two actions that depends on every input."""
    brightness = batch[PICTURE].mean(dim=(1, 2, 3))[:, None]
    return (policy.layer(batch[STATE]) * brightness)[:, None] * torch.tensor([1.0, 2.0])[:, None]


@pytest.fixture
def trained(config: Any, stats: Any, monkeypatch: pytest.MonkeyPatch) -> PolicyWithProcessors:
    torch.manual_seed(0)
    policy = config.build()
    monkeypatch.setattr(type(policy), "exported_chunk", offered)
    monkeypatch.setattr(type(policy), "predict_action_chunk", offered)
    return PolicyWithProcessors(policy, make_processors(config, stats))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exported")


@pytest.fixture
def exported(trained: PolicyWithProcessors, folder: Path) -> Path:
    """Made by the first test that asks: the seed makes every `trained` the same."""
    if not (folder / "policy.json").exists():
        export(trained, folder, fps=30)
    return folder


def by_hand(trained: PolicyWithProcessors, state: np.ndarray, image: np.ndarray) -> np.ndarray:
    """The statistics of the fixture, written out: MEAN_STD in, MIN_MAX out."""
    state = (state - [0.0, 1.0, 2.0]) / (np.array([1.0, 0.5, 0.25]) + 1e-8)
    seen = ((image.transpose(0, 3, 1, 2) / 255 - np.array([0.4, 0.5, 0.6])[:, None, None]) / 0.2).mean((1, 2, 3))
    weight, bias = (tensor.detach().numpy() for tensor in (trained.policy.layer.weight, trained.policy.layer.bias))
    chunk = ((state @ weight.T + bias) * seen[:, None])[:, None] * np.array([1.0, 2.0])[:, None]
    return (chunk + 1) / 2 * np.array([2.0, 10.0]) + np.array([-1.0, 0.0])


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("name", ["onnx", "pt2"])
def test_a_file_turns_what_a_robot_gives_into_its_units(
    trained: PolicyWithProcessors, exported: Path, name: str, size: int
) -> None:
    random = np.random.default_rng(size)
    state = random.normal(size=(size, 3)).astype(np.float32)
    image = random.integers(0, 256, (size, 4, 5, 3), np.uint8)
    form = registry.config_class("export_format", name)().build()
    run_file = form.load(exported / f"policy.{name}", [STATE, PICTURE])
    actions = run_file({STATE: state, PICTURE: image})
    assert actions.dtype == np.float32
    np.testing.assert_allclose(actions, by_hand(trained, state, image), atol=1e-4)


def test_a_file_runs_without_torch(exported: Path) -> None:
    script = (
        "import sys, numpy, onnxruntime\n"
        f"session = onnxruntime.InferenceSession({str(exported / 'policy.onnx')!r})\n"
        "shapes = {each.name: [size if isinstance(size, int) else 4 for size in each.shape] "
        "for each in session.get_inputs()}\n"
        f"state = numpy.zeros(shapes[{STATE!r}], numpy.float32)\n"
        f"image = numpy.zeros(shapes[{PICTURE!r}], numpy.uint8)\n"
        f"assert session.run(None, {{{STATE!r}: state, {PICTURE!r}: image}})[0].shape == (4, 2, 2)\n"
        "assert not {'torch', 'lerobot'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_file_says_what_it_takes_and_gives(exported: Path) -> None:
    beside = json.loads((exported / "policy.json").read_text())
    assert set(beside.pop("differences")) == {"policy.onnx", "policy.pt2"}
    files = beside.pop("files")
    assert set(files) == {"policy.onnx", "policy.pt2"}
    for name, each in files.items():
        assert each["bytes"] == (exported / name).stat().st_size
        assert each["sha256"] == hashlib.sha256((exported / name).read_bytes()).hexdigest()
        assert each["policy_bytes"] == 4 * (2 * 3 + 2)
        assert len(each["error"]["worst"]) == len(each["error"]["mean"]) == 2
        assert min(each["milliseconds"], each["policy_milliseconds"]) > 0
    assert beside["fps"] == 30
    assert beside["inputs"][0] == {
        "name": STATE, "dtype": "float32", "shape": ["batch", 3], "names": None, "units": None,
    }  # fmt: skip
    assert beside["inputs"][1]["shape"] == ["batch", 4, 5, 3]
    assert beside["inputs"][1]["layout"] == "HWC"
    assert beside["outputs"] == [
        {"name": "action", "dtype": "float32", "shape": ["batch", 2, 2], "names": None, "units": None}
    ]
    model = onnx.load(exported / "policy.onnx")
    inside = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(inside["metadata"]) == beside
    assert [
        [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim] for value in model.graph.input
    ] == [each["shape"] for each in beside["inputs"]]
    inside = {"metadata": ""}
    torch.export.load(exported / "policy.pt2", extra_files=inside)
    assert json.loads(inside["metadata"]) == beside


def test_a_robot_names_joints_and_units(stats: Any, config: Any, trained: PolicyWithProcessors, tmp_path: Path) -> None:
    robot = describe_robot(FakeRobotConfig(cameras={"top": FakeCameraConfig(width=40, height=32, fps=30)}))
    names = robot.features["action"]["names"]
    size = len(names)
    wide = config.model_copy(
        update={
            "input_features": {
                STATE: PolicyFeature(type=FeatureType.STATE, shape=(size,)),
                PICTURE: PolicyFeature(type=FeatureType.VISUAL, shape=(3, 32, 40)),
            },
            "output_features": {"action": PolicyFeature(type=FeatureType.ACTION, shape=(size,))},
        }
    )
    stats = {
        **stats,
        STATE: {"mean": torch.zeros(size), "std": torch.ones(size)},
        "action": {"min": -torch.ones(size), "max": torch.ones(size)},
    }
    saved = tmp_path / "saved"
    PolicyWithProcessors(wide.build(), make_processors(wide, stats)).save_pretrained(saved)
    camera = "--robot.cameras={top: {type: fake, width: 40, height: 32, fps: 30}}"
    arguments = [f"--policy.path={saved}", "--robot.type=fake", camera, "--formats=[pt2]", f"--output_dir={tmp_path}"]
    export_command(load(ExportConfig, arguments).config)
    action = json.loads((tmp_path / "policy.json").read_text())["outputs"][0]
    assert action["names"] == names
    assert action["units"] == [robot.specs[name].unit for name in names]
    assert set(action["units"]) - {None}
    with pytest.raises(FeatureMismatchError, match=r"observation\.images\.top is missing"):
        export_command(load(ExportConfig, [arguments[0], arguments[1], *arguments[3:]]).config)


# --- refusals --------------------------------------------------------------------------------------------------------


def test_a_policy_that_does_not_offer_it_is_refused(config: Any, stats: Any, tmp_path: Path) -> None:
    silent = type("SilentPolicy", (type(config.build()),), {"exported_chunk": None})
    plain = PolicyWithProcessors(silent(config), make_processors(config, stats))
    with pytest.raises(LeRobotError, match="policy 'tiny' cannot be exported"):
        export(plain, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["onnx", "pt2"])
def test_a_file_that_acts_otherwise_is_not_kept(
    trained: PolicyWithProcessors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A policy whose offer is off by a thousandth of its action."""
    monkeypatch.setattr(type(trained.policy), "exported_chunk", lambda self, batch: offered(self, batch) * 1.001)
    with pytest.raises(LeRobotError, match=r"differs from the policy by \d") as caught:
        export(trained, tmp_path, formats=(name,))
    assert caught.value.expected == "at most 0.0001"
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_number_is_no_parity(trained: PolicyWithProcessors) -> None:
    ports = ports_of(trained.policy.config.input_features)

    def broken(observations: Any) -> Any:
        return actions_of(trained, observations) * np.float32(np.nan)

    with pytest.raises(LeRobotError, match="differs from the policy by nan"):
        require_alike(compare(broken, trained, ports, [1], "it"), "it")


def test_a_branch_on_a_value_is_refused(
    trained: PolicyWithProcessors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moody(policy: Any, batch: Mapping[str, Tensor]) -> Tensor:
        return offered(policy, batch) if batch[STATE].sum() > 0 else -offered(policy, batch)

    monkeypatch.setattr(type(trained.policy), "exported_chunk", moody)
    monkeypatch.setattr(type(trained.policy), "predict_action_chunk", moody)
    with pytest.raises(LeRobotError, match="cannot be traced"):
        export(trained, tmp_path)


def test_a_policy_for_one_observation_at_a_time_is_exported_for_one(
    trained: PolicyWithProcessors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def single(policy: Any, batch: Mapping[str, Tensor]) -> Tensor:
        return offered(policy, {key: batch[key].view(1, *batch[key].shape[1:]) for key in (STATE, PICTURE)})

    monkeypatch.setattr(type(trained.policy), "exported_chunk", single)
    export(trained, tmp_path, formats=("onnx",))
    assert "one observation at a time" in caplog.text
    assert json.loads((tmp_path / "policy.json").read_text())["inputs"][0]["shape"] == [1, 3]


def test_exporting_leaves_the_policy_as_it_was(trained: PolicyWithProcessors, tmp_path: Path) -> None:
    export(trained, tmp_path)
    ports = ports_of(trained.policy.config.input_features)
    observations = random_observations(trained, ports, 2, seed=3)
    assert np.isfinite(actions_of(trained, observations)).all()
    assert all(tensor.device.type == "cpu" for tensor in trained.policy.state_dict().values())


def test_a_missing_extra_is_said_with_its_command(trained: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    PolicyWithProcessors(trained.policy, trained.processors).save_pretrained(tmp_path / "saved")
    config = load(ExportConfig, [f"--policy.path={tmp_path / 'saved'}", f"--output_dir={tmp_path / 'out'}"]).config
    with pytest.raises(LeRobotError, match="export to ONNX needs 'onnxruntime', which is not installed") as caught:
        export_command(config)
    assert "uv pip install './packages/lerobot-policies[export]'" in caught.value.hint
    assert not (tmp_path / "out").exists()


class DescribedFormat(ExportFormat):
    """Somebody's own kind of file: what it gives is in its configuration."""

    label = "the described file"

    def write(self, trace: Any, description: Any, path: Path) -> None:
        path.write_text(json.dumps({**description, "times": self.config.times}))

    def load(self, path: Path, names: Any) -> Any:
        return lambda observations: actions_of(self.config.whose, observations) * json.loads(path.read_text())["times"]


class DescribedConfig(ExportFormatConfig):
    target = f"{__name__}:DescribedFormat"
    type: str = "described"
    times: float = 1.0
    whose: ClassVar[Any]


def test_a_format_of_a_plugin_is_written_with_its_options_and_compared(
    trained: PolicyWithProcessors, tmp_path: Path
) -> None:
    registry.register("export_format", "described", DescribedConfig)
    DescribedConfig.whose = trained
    PolicyWithProcessors(trained.policy, trained.processors).save_pretrained(tmp_path / "saved")

    def export_with(*formats: str) -> list[str]:
        flags = [f"--policy.path={tmp_path / 'saved'}", f"--formats=[{', '.join(formats)}]"]
        export_command(load(ExportConfig, [*flags, f"--output_dir={tmp_path / 'out'}"]).config)
        return sorted(path.name for path in (tmp_path / "out").iterdir())

    assert export_with("described") == ["policy.described", "policy.json"]
    with pytest.raises(LeRobotError, match="the described file differs from the policy"):
        export_with("{type: described, times: 1.01}")


def test_a_wrong_option_or_format_is_one_line(tmp_path: Path) -> None:
    for wrong, words in (("[onnxx]", "onnxx"), ("[{type: onnx, opset: 3}]", "opset"), ("[]", "formats")):
        with pytest.raises(ConfigError, match=words):
            load(ExportConfig, ["--policy.type=tiny", f"--formats={wrong}"])


@pytest.mark.slow
def test_the_operators_are_those_of_the_version_that_is_asked_for(trained: Any, tmp_path: Path) -> None:
    export(trained, tmp_path, formats=[OnnxConfig(opset=20)])
    assert {each.domain: each.version for each in onnx.load(tmp_path / "policy.onnx").opset_import}[""] == 20


def test_an_untrained_policy_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"--policy\.path: a trained policy"):
        load(ExportConfig, ["--policy.type=tiny"])


# --- inputs ----------------------------------------------------------------------------------------------------------


def test_depth_comes_in_millimetres() -> None:
    port = ports_of({"depth": PolicyFeature(type=FeatureType.VISUAL, shape=(1, 4, 5))})[0]
    assert port == Port("depth", (4, 5, 1), "float32")
    assert torch.equal(port.as_in_dataset(torch.full((2, 4, 5, 1), 1234.0)), torch.full((2, 1, 4, 5), 1234.0))


def test_made_up_states_lie_where_the_dataset_has_them(trained: PolicyWithProcessors) -> None:
    observations = random_observations(trained, ports_of(trained.policy.config.input_features), 4000, seed=0)
    assert np.allclose(observations[STATE].mean(0), [0.0, 1.0, 2.0], atol=0.05)
    assert np.allclose(observations[STATE].std(0), [1.0, 0.5, 0.25], atol=0.05)


def test_relative_actions_are_traced_with_the_state_of_each_observation(trained: PolicyWithProcessors) -> None:
    """A step with a memory: what it remembers must be the traced state, not that of the example."""
    from lerobot.core.processors import build_step
    from lerobot.policies.processing.config import AbsoluteActionsConfig, RelativeActionsConfig
    from lerobot.policies.processing.pipelines import joined

    before, after = list(trained.processors.preprocessor.steps), list(trained.processors.postprocessor.steps)
    processors = joined(
        [build_step(RelativeActionsConfig(enabled=True)), *before],
        [*after, build_step(AbsoluteActionsConfig(enabled=True))],
    )
    relative = PolicyWithProcessors(trained.policy, processors)
    ports = ports_of(trained.policy.config.input_features)
    examples = random_observations(relative, ports, 2, seed=0)
    traced = trace(relative, {key: torch.from_numpy(value) for key, value in examples.items()})
    others = random_observations(relative, ports, 3, seed=1)
    found = traced.program.module()(*(torch.from_numpy(others[port.name]) for port in ports)).detach().numpy()
    np.testing.assert_allclose(found, actions_of(relative, others), atol=1e-5)
