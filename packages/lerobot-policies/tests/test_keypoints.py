"""From pictures to points, against the definitions written out."""

import numpy as np
import pytest
import torch

from lerobot.policies.networks.keypoints import KeypointEncoder, KeypointSettings, SpatialSoftmax, cut

SETTINGS = KeypointSettings(
    size=(70, 81),
    backbone="resnet8",
    weights=None,
    grouped=False,
    keypoints=3,
    resize=None,
    crop=None,
    random_crop=True,
)


def test_points_are_the_centres_of_mass_of_the_softmax() -> None:
    torch.manual_seed(0)
    pool, features = SpatialSoftmax(4, (2, 3), 5), torch.randn(2, 4, 2, 3)
    maps = pool.nets(features).detach().numpy()
    found = pool(features).detach().numpy()
    for row in range(2):
        for point in range(5):
            weight = np.exp(maps[row, point]) / np.exp(maps[row, point]).sum()
            assert found[row, point, 0] == pytest.approx((weight * np.array([-1, 0, 1])).sum(), abs=1e-6)
            assert found[row, point, 1] == pytest.approx((weight.T * np.array([-1, 1])).sum(), abs=1e-6)


@pytest.mark.parametrize(("size", "top", "left"), [((4, 6), 0, 0), ((2, 6), 1, 0), ((3, 3), 0, 2), ((1, 1), 2, 2)])
def test_the_centre_is_rounded_to_even(size: tuple[int, int], top: int, left: int) -> None:
    pictures = torch.arange(24.0).view(1, 1, 4, 6)
    assert torch.equal(cut(pictures, size, anywhere=False), pictures[..., top : top + size[0], left : left + size[1]])


def test_a_window_is_drawn_once_for_all_pictures() -> None:
    torch.manual_seed(0)
    pictures = torch.arange(24.0).view(1, 1, 4, 6).repeat(5, 1, 1, 1)
    corners = set()
    for _ in range(60):
        window = cut(pictures, (3, 5), anywhere=True)
        assert window.shape == (5, 1, 3, 5)
        assert bool((window == window[:1]).all())
        corners.add(int(window[0, 0, 0, 0]))
    assert corners == {0, 1, 6, 7}


@pytest.mark.parametrize(
    ("changes", "size"),
    [({}, (5, 6)), ({"crop": (64, 33)}, (4, 3)), ({"resize": (40, 30)}, (3, 2)), ({"backbone": "resnet18"}, (3, 3))],
)
def test_the_grid_is_that_of_the_features(changes: dict[str, object], size: tuple[int, int]) -> None:
    values = {name: getattr(SETTINGS, name) for name in KeypointSettings.__slots__}
    encoder = KeypointEncoder(KeypointSettings(**{**values, **changes})).eval()  # type: ignore[arg-type] # by name
    assert encoder.pool.pos_grid.shape == (size[0] * size[1], 2)
    assert encoder(torch.rand(2, 3, 70, 81)).shape == (2, 6)


def test_only_training_draws_windows() -> None:
    values = {name: getattr(SETTINGS, name) for name in KeypointSettings.__slots__}
    encoder = KeypointEncoder(KeypointSettings(**{**values, "crop": (30, 30), "grouped": True}))
    pictures = torch.rand(1, 3, 70, 81)
    encoder.eval()
    assert torch.equal(encoder(pictures), encoder(pictures))
    encoder.train()
    assert not torch.equal(encoder(pictures), encoder(pictures))
