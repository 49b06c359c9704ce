"""What files of NVIDIA's layout say: `config.json` about sizes, and those beside it about processing.

What such a file can say and is not done here is refused, and never left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lerobot.core.errors import CheckpointError
from lerobot.core.json_file import read_json
from lerobot.groot.n17.sizes import COSMOS, COSMOS_REASON2_2B, GROOT_N17_3B, PUBLISHED, GrootN17HeadSize, GrootN17Size
from lerobot.groot.n17.step_configs import EMBODIMENTS, RawStatistics
from lerobot.groot.published import require_fields, transformer_size, understood
from lerobot.policies.checkpoint.files import CONFIG, POSTPROCESSOR, Checkpoint

Fields = Mapping[str, Any]

PROCESSING, STATISTICS, NUMBERS = "processor_config.json", "statistics.json", "embodiment_id.json"

_NAMES = {"gr00tn1d7", "gr00t_n1d7", "gr00t_n1_7"}
_VERSIONS = {"n1.7", "n1_7", "n1d7", "n17", "1.7"}


@dataclass(frozen=True, slots=True)
class Base:
    """What the files of a base say about processing for one kind of robot.

    Attributes:
        place: where they are, for messages.
        settings: of its processors.
        parts: what states, actions and videos of this kind of robot consist of, by modality; empty if it has none.
        statistics: of these parts; empty if it has none.
        embodiments: numbers of the kinds of robots.
    """

    place: str
    settings: Fields
    parts: dict[str, Any]
    statistics: RawStatistics
    embodiments: dict[str, int]

    @property
    def horizon(self) -> int | None:
        """Actions of a chunk that were learned; None if nobody says."""
        return len(self._of("action", "delta_indices")) or None

    @property
    def images(self) -> int | None:
        """Images of each camera; None if nobody says."""
        return len(self._of("video", "delta_indices")) or None

    @property
    def cameras(self) -> list[str] | None:
        """Names of the cameras, in their order; None if nobody says."""
        return list(self._of("video", "modality_keys")) or None

    @property
    def has_statistics(self) -> bool:
        """Whether this kind of robot's states and actions are scaled by them."""
        return bool(self.statistics and self._of("action", "modality_keys"))

    def _of(self, modality: str, field: str) -> list[Any]:
        return list(self.parts.get(modality, {}).get(field, []))


def base_of(base: str, tag: str) -> Base | None:
    """Read what the files of a base say about processing.

    Args:
        base: folder or Hub repository of NVIDIA's layout.
        tag: the kind of robot.

    Returns:
        That; None for the published base, whose processing is known.

    Raises:
        CheckpointError: there is no such folder, or a file is damaged.
    """
    if base == GROOT_N17_3B:
        return None
    checkpoint = Checkpoint.at(base)

    def fields(name: str) -> Fields:
        path = checkpoint.find(name)
        found = {} if path is None else understood(str(path), lambda: read_json(path), "N1.7")
        if not isinstance(found, dict):
            raise CheckpointError(f"{path} is not understood", expected="an object")
        return found

    settings = fields(PROCESSING).get("processor_kwargs") or {}
    modalities = settings.get("modality_configs") or {}
    numbers = {str(name): int(number) for name, number in fields(NUMBERS).items()}
    return Base(
        place=str(checkpoint),
        settings=settings,
        parts=modalities.get(tag) or {},
        statistics=fields(STATISTICS).get(tag) or {},
        embodiments=numbers or dict(EMBODIMENTS),
    )


def scales_parts(path: str, revision: str | None) -> bool:
    """Say whether the post-processor of a saved policy scales part by part.

    Args:
        path: folder or Hub repository.
        revision: of the repository.
    """
    saved = Checkpoint.at(path, revision).find(f"{POSTPROCESSOR}.json")
    return saved is not None and "groot_n1_7_action_decode_v1" in saved.read_text()


def size_of(base: str, *, states: int, actions: int) -> GrootN17Size:
    """Give the sizes that files say.

    Args:
        base: folder or Hub repository of NVIDIA's layout.
        states: width of states, which the base must have.
        actions: width of actions, which the base must have.

    Raises:
        CheckpointError: there are no such files, they are of something else, or say what the networks do not have.
    """
    if base == GROOT_N17_3B:
        return PUBLISHED
    path = Checkpoint.at(base).file(CONFIG)
    return understood(str(path), lambda: _size(read_json(path), states, actions), "N1.7")


def _size(fields: Fields, states: int, actions: int) -> GrootN17Size:
    _require_version(fields)
    require_fields(fields, use_vlln=True, add_pos_embed=True, use_alternate_vl_dit=True, state_history_length=1)
    require_fields(fields, reproject_vision=False, exclude_state=False, apply_sincos_state_encoding=False)
    require_fields(fields, max_action_dim=actions, max_state_dim=states)
    published = PUBLISHED.head
    hidden = fields.get("hidden_size", published.hidden)
    dit = published.dit
    if (described := fields.get("diffusion_model_cfg")) is not None:
        require_fields(described, norm_type="ada_norm", interleave_self_attention=True, output_dim=hidden)
        dit = transformer_size(described)
    reader = published.reader
    if (described := fields.get("vl_self_attention_cfg")) is not None:
        reader = transformer_size(described)
    require_fields(fields, input_embedding_dim=dit.width, backbone_embedding_dim=reader.width)
    head = GrootN17HeadSize(
        reader=reader,
        dit=dit,
        hidden=hidden,
        embodiments=fields.get("max_num_embodiments", published.embodiments),
        positions=fields.get("max_seq_len", published.positions),
        horizon=fields.get("action_horizon", published.horizon),
        steps=fields.get("num_inference_timesteps", published.steps),
        buckets=fields.get("num_timestep_buckets", published.buckets),
        noise_s=fields.get("noise_s", published.noise_s),
        beta_alpha=fields.get("noise_beta_alpha", published.beta_alpha),
        beta_beta=fields.get("noise_beta_beta", published.beta_beta),
        text_every=fields.get("attend_text_every_n_blocks", published.text_every),
        state_dropout=fields.get("state_dropout_prob", published.state_dropout),
        ramp_rate=fields.get("rtc_ramp_rate", published.ramp_rate),
    )
    backbone = _backbone(str(fields.get("model_name", COSMOS)).rstrip("/"))
    layers = fields.get("select_layer", PUBLISHED.layers)
    there = backbone["text_config"]["num_hidden_layers"]
    return GrootN17Size(backbone=backbone, layers=layers if 0 < layers < there else there, head=head)


def _require_version(fields: Fields) -> None:
    """Refuse what is no GR00T N1.7 of NVIDIA's layout."""
    named = [fields.get("model_type"), *(fields.get("architectures") or ())]
    names = {str(each).lower().replace("-", "_") for each in named}
    version = str(fields.get("model_version", "")).lower()
    if "type" in fields:
        raise ValueError("it is that of a policy, which is --policy.path")
    if not (version in _VERSIONS or names & _NAMES or fields.get("model_name") == COSMOS):
        raise ValueError(f"model_type is {fields.get('model_type')}; a GR00T N1.5 is the policy groot_n15")


def _backbone(name: str) -> dict[str, Any]:
    """Fields of the configuration of Qwen3-VL."""
    if name == COSMOS:
        return COSMOS_REASON2_2B
    path = Checkpoint.at(name).file(CONFIG)
    fields = read_json(path)
    if fields.get("model_type") != "qwen3_vl":
        raise ValueError(f"{path} has the model_type {fields.get('model_type')}, and only qwen3_vl is supported")
    wanted = COSMOS_REASON2_2B.keys()
    return {key: value for key, value in fields.items() if key in wanted}
