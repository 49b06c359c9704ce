"""The contract of kinds of files: what is exported acts like the policy, and nothing is left behind."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from pydantic import Field
from torch import Tensor, nn

from lerobot.core.json_file import read_json
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.chunked import ChunkedPolicy
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.export.files import export_files
from lerobot.policies.export.gains import Report
from lerobot.policies.export.parity import actions_of, random_observations
from lerobot.policies.export.program import ports_of_policy
from lerobot.policies.features import ACTION, OBSERVATION_STATE, FeatureType, NormalizationMode, PolicyFeature
from lerobot.policies.formats import ExportFormatConfig
from lerobot.policies.processing.pipelines import make_processors


class TwoLayerConfig(PreTrainedConfig):
    """Two layers."""

    target = f"{__name__}:TwoLayerPolicy"
    type: str = "two_layer"
    normalization_mapping: dict[FeatureType, NormalizationMode] = Field(
        default={FeatureType.STATE: NormalizationMode.MEAN_STD, FeatureType.ACTION: NormalizationMode.MEAN_STD}
    )


class TwoLayerPolicy(ChunkedPolicy):
    """Two actions per chunk, by two layers from the state."""

    def __init__(self, config: TwoLayerConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        del from_scratch
        self.hidden = nn.Linear(3, 32)
        self.head = nn.Linear(32, 4)

    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """See `Policy.predict_action_chunk`."""
        return self.exported_chunk(batch)

    def exported_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """See `lerobot.policies.export.program.Exportable`."""
        found: Tensor = self.head(self.hidden(batch[OBSERVATION_STATE]).relu())
        return found.view(*found.shape[:-1], 2, 2)

    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        """See `Policy.forward`."""
        return (self.exported_chunk(batch) - batch[ACTION]).square().mean(), {}


def small_trained() -> PolicyWithProcessors:
    """A small policy of a robot one of whose joints never moved in the dataset."""
    torch.manual_seed(0)
    config = TwoLayerConfig(
        input_features={OBSERVATION_STATE: PolicyFeature(type=FeatureType.STATE, shape=(3,))},
        output_features={ACTION: PolicyFeature(type=FeatureType.ACTION, shape=(2,))},
        device="cpu",
    )
    stats = {
        OBSERVATION_STATE: {"mean": torch.tensor([30.0, -3.3, 77.7]), "std": torch.tensor([20.0, 0.5, 0.0])},
        ACTION: {"mean": torch.tensor([30.0, -3.3]), "std": torch.tensor([20.0, 0.5])},
    }
    return PolicyWithProcessors(TwoLayerPolicy(config), make_processors(config, stats))


class ExportFormatContract:
    """A kind of file; supply its configuration as `form`."""

    form: ClassVar[ExportFormatConfig]

    @pytest.fixture(scope="class")
    @classmethod
    def exported(cls, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
        """A file, and what is said of it."""
        folder = tmp_path_factory.mktemp("exported")
        ((path, report),) = export_files(small_trained(), folder, formats=[cls.form], fps=30).items()
        return path, report

    def test_a_file_acts_like_the_policy(self, exported: tuple[Path, Report]) -> None:
        """Within the kind's tolerance, on observations it has not seen, as many at once as it takes.

        Repair: compute what the program says; where a joint never moved, the rounding of a difference is multiplied by
        1e8.
        """
        path, report = exported
        assert report.difference.relative <= self.form.tolerance
        trained = small_trained()
        size = max(self.form.batches)
        seen = random_observations(trained, ports_of_policy(trained.policy), size, seed=9)
        run = self.form.build().load(path, list(seen))
        found = run(seen)
        assert found.shape == (size, 2, 2)
        assert (
            abs(found - actions_of(trained, seen, seed=9)).max() <= self.form.tolerance * report.difference.largest * 2
        )

    def test_the_folder_says_what_is_in_it(self, exported: tuple[Path, Report]) -> None:
        """The file has its name, `policy.json` its size, error and time, and nothing else is there.

        Repair: write nothing but what begins with the file's stem.
        """
        path, report = exported
        assert path.name == self.form.file_name
        said = read_json(path.parent / "policy.json")["files"]
        assert said == {path.name: report.as_json()}
        others = [each for each in path.parent.iterdir() if each.name != "policy.json"]
        assert sum(each.stat().st_size for each in others) == report.size
        assert all(each.stem == path.stem for each in others)
