"""Turns in space, from one description to another."""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows


def axis_angle(columns: Tensor) -> Tensor:
    """Give the axis times the angle in rad, `(..., 3)` float64, of a turn.

    Args:
        columns: the first two columns of its matrix, one after the other, `(..., 6)`; made upright and of length 1.

    Source:
        Zhou et al. 2019, arXiv:1812.07035; the quaternion is the eigenvector of a symmetric matrix: Bar-Itzhack 2000.
    """
    first, second = columns[..., :3].double(), columns[..., 3:].double()
    x = first / (first.norm(dim=-1, keepdim=True) + 1e-6)
    y = second - (x * second).sum(-1, keepdim=True) * x
    y = y / (y.norm(dim=-1, keepdim=True) + 1e-6)
    turn = torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)
    # The matrix whose largest eigenvalue belongs to the quaternion (x, y, z, w).
    trace = turn.diagonal(dim1=-2, dim2=-1).sum(-1)
    skew = turn - turn.mT
    axis = torch.stack([skew[..., 2, 1], skew[..., 0, 2], skew[..., 1, 0]], dim=-1)
    upper = turn + turn.mT - trace[..., None, None] * torch.eye(3, dtype=turn.dtype, device=turn.device)
    symmetric = F.pad(upper, (0, 1, 0, 1))
    symmetric[..., 3, :3] = symmetric[..., :3, 3] = axis
    symmetric[..., 3, 3] = trace
    quaternion = torch.linalg.eigh(symmetric).eigenvectors[..., -1]
    quaternion = torch.where(quaternion[..., 3:] < 0, -quaternion, quaternion)
    sine = quaternion[..., :3].norm(dim=-1, keepdim=True)
    angle = 2.0 * torch.atan2(sine, quaternion[..., 3:])
    return quaternion[..., :3] * torch.where(sine > 0, angle / sine.clamp(min=torch.finfo(sine.dtype).tiny), 0.0)
