"""Predicted actions of GR00T N1.7 back in the robot's units.

Source: the formulas of huggingface/lerobot 0.6, so that its checkpoints act alike.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.core.processors import EnvTransition, TransitionKey
from lerobot.groot.n17.groups import Part, action_parts
from lerobot.groot.n17.packing import PackStep
from lerobot.groot.n17.step_configs import DecodeConfig, UnpackConfig
from lerobot.groot.packing import ExtremesStep
from lerobot.policies.features import ACTION
from lerobot.policies.processing.relative import LinkedStep

_LIBERO_WIDTH = 7


def _libero(gripper: Tensor, *, binary: bool = True) -> Tensor:
    """A gripper of 0 to 1 as LIBERO has it: -1 to open, 1 to close."""
    signed = 2.0 * gripper - 1.0
    return -torch.sign(signed) if binary else -signed


class UnpackStep(ExtremesStep):
    """Takes actions of the robot's width out of predicted ones, single ones or chunks, and undoes the scaling."""

    config: UnpackConfig

    @property
    def scaled(self) -> tuple[str, ...]:
        """See `ExtremesStep.scaled`."""
        return (ACTION,)

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Unpack `(B, Da)` or `(B, T, Da)`."""
        action = transition.get(TransitionKey.ACTION)
        if not isinstance(action, Tensor):
            return transition
        config = self.config
        if config.env_action_dim:
            action = action[..., : config.env_action_dim]
        if config.normalize_min_max and config.clip_normalized_action:
            action = action.clamp(-1.0, 1.0)
        action = self.from_unit(action, ACTION)
        if config.libero_gripper_action and action.shape[-1] >= _LIBERO_WIDTH:
            gripper = _libero(action[..., -1:], binary=config.libero_gripper_binarize)
            action = torch.cat([action[..., :-1], gripper], dim=-1)
        return {**transition, TransitionKey.ACTION: action}


class DecodeStep(LinkedStep):
    """Undoes the scaling of each part of actions, adds the state to those that are relative, and joins them.

    Args:
        config: what parts there are.
        pack: the step that saw the state; `link` sets it after loading.

    Raises:
        CheckpointError: there are no parts, or no statistics of one.
    """

    config: DecodeConfig

    def __init__(self, config: DecodeConfig, *, pack: PackStep | None = None) -> None:
        super().__init__(config)
        self._pack = pack
        self._parts = action_parts(
            config.raw_stats or {},
            config.modality_config or {},
            percentiles=config.use_percentiles,
            relative=config.use_relative_action,
        )
        if not self._parts:
            raise CheckpointError(
                f"{self.registry_name} has no parts of actions", expected="raw_stats, modality_config"
            )
        described = (config.modality_config or {})["action"].get("delta_indices") or []
        self._steps = len(described) or None

    def link(self, before: Sequence[object]) -> None:
        """See `LinkedStep.link`."""
        self._pack = next((step for step in before if isinstance(step, PackStep)), self._pack)

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Decode `(B, T, width)`, or `(B, width)` if no part is relative."""
        action = transition.get(TransitionKey.ACTION)
        if not isinstance(action, Tensor):
            return transition
        if action.ndim == 2 and self.config.use_relative_action:
            raise FeatureMismatchError(
                "relative actions one at a time: they are relative to the state that their chunk was predicted from",
                keys=[ACTION],
                expected="the whole chunk (B, T, Da), brought to the robot's units at once",
            )
        chunk = action.float() if action.ndim == 3 else action.float()[:, None]
        decoded = self._decoded(chunk[:, : self._steps])
        if self.config.action_decode_transform == "libero":
            decoded = self._for_libero(decoded)
        decoded = decoded[..., : self.config.env_action_dim or None]
        decoded = (decoded if action.ndim == 3 else decoded[:, 0]).to(action.dtype)
        return {**transition, TransitionKey.ACTION: decoded}

    def _decoded(self, chunk: Tensor) -> Tensor:
        found = []
        for part in self._parts:
            low, high = part.extremes(chunk.shape[1], chunk)
            own = (chunk[..., part.where].clamp(-1.0, 1.0) + 1.0) * 0.5 * (high - low) + low
            found.append(own if part.relative_to is None else self._absolute(part, own, part.relative_to))
        return torch.cat(found, dim=-1)

    def _absolute(self, part: Part, own: Tensor, relative_to: str) -> Tensor:
        if self._pack is None:
            raise FeatureMismatchError(
                f"{self.registry_name} has no groot_n1_7_pack_inputs_v1 that saw the state",
                keys=[ACTION],
                expected="the pre-processor of the same policy, called with an observation first",
            )
        state = self._pack.raw_part(relative_to).to(own)
        if part.kind == "non_eef":
            return own + state[:, None]
        if part.kind == "eef" and part.form == "xyz+rot6d":
            return moved(own.double(), state.double()[:, None]).float()
        raise CheckpointError(
            f"the part {part.name} of actions is relative as {part.kind} {part.form}",
            expected="non_eef, or eef with xyz+rot6d",
        )

    def _for_libero(self, decoded: Tensor) -> Tensor:
        where = next((part.where for part in self._parts if part.name == "gripper"), None)
        last = self.config.env_action_dim or decoded.shape[-1]
        if where is None or where.stop - where.start != 1 or where.stop > last:
            raise CheckpointError(
                "action_decode_transform is libero, and actions have no gripper of one number",
                expected=f"a part gripper; given: {', '.join(part.name for part in self._parts)}",
            )
        return torch.cat(
            [decoded[..., : where.start], _libero(decoded[..., where]), decoded[..., where.stop :]], dim=-1
        )


def moved(motion: Tensor, pose: Tensor) -> Tensor:
    """Move a hand's pose by a motion in its own frame, both `(..., 9)`: a place, and two rows of a rotation.

    Source:
        Zhou et al. 2019, arXiv:1812.07035, for the six numbers of a rotation.
    """
    start, turn = pose[..., :3], _rotation(pose[..., 3:])
    place = start + (turn @ motion[..., :3, None])[..., 0]
    rows = (turn @ _rotation(motion[..., 3:]))[..., :2, :].flatten(-2)
    return torch.cat([place, rows], dim=-1)


def _rotation(six: Tensor) -> Tensor:
    """The rotation `(..., 3, 3)` that two of its rows say, `(..., 6)`, which need not be orthonormal."""
    first, second = six[..., :3], six[..., 3:]
    first = first / first.norm(dim=-1, keepdim=True)
    second = second - (first * second).sum(dim=-1, keepdim=True) * first
    second = second / second.norm(dim=-1, keepdim=True)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-2)
