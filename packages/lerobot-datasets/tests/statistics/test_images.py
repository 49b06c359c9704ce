"""Image statistics against numpy on the same decimated pixels."""

import numpy as np
import pytest

from lerobot.datasets.statistics.images import ImageStatistics, decimate


@pytest.mark.parametrize(
    ("size", "decimated"),
    [((480, 640), (120, 160)), ((300, 300), (150, 150)), ((1080, 1920), (90, 160)), ((299, 200), (299, 200))],
)
def test_decimation_follows_the_format(size, decimated):
    assert decimate(np.zeros((*size, 3), np.uint8)).shape == (*decimated, 3)


def test_colour_equals_numpy():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (9, 320, 400, 3), np.uint8) // np.array([1, 2, 3], np.uint8)
    statistics = ImageStatistics(3)
    for image in images:
        statistics.add(image)
    summary = statistics.summary()
    pixels = np.concatenate([decimate(image).reshape(-1, 3) for image in images]) / 255
    np.testing.assert_allclose(summary["mean"].ravel(), pixels.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(summary["std"].ravel(), pixels.std(axis=0), rtol=1e-9)
    np.testing.assert_array_equal(summary["min"].ravel(), pixels.min(axis=0))
    np.testing.assert_array_equal(summary["max"].ravel(), pixels.max(axis=0))
    for key, share in {"q01": 0.01, "q50": 0.5, "q99": 0.99}.items():
        np.testing.assert_allclose(summary[key].ravel(), np.quantile(pixels, share, axis=0), atol=1 / 255)
    assert {key: value.shape for key, value in summary.items() if key != "count"} == dict.fromkeys(
        ["min", "max", "mean", "std", "q01", "q10", "q50", "q90", "q99"], (3, 1, 1)
    )
    assert summary["count"].tolist() == [9]


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_depth_keeps_its_unit(dtype):
    rng = np.random.default_rng(0)
    images = (rng.uniform(300, 900, (5, 40, 50, 1)) * (1 if dtype == np.uint16 else 1e-3)).astype(dtype)
    statistics = ImageStatistics(1)
    for image in images:
        statistics.add(image)
    summary, values = statistics.summary(), images.astype(np.float64)
    assert summary["mean"].shape == (1, 1, 1)
    assert summary["mean"].item() == pytest.approx(values.mean())
    assert summary["std"].item() == pytest.approx(values.std())
    assert summary["q50"].item() == pytest.approx(np.median(values), abs=np.ptp(values) / 1000)


def test_one_image_has_statistics():
    """An episode of one frame must not be lost for want of statistics."""
    statistics = ImageStatistics(3)
    statistics.add(np.full((8, 8, 3), 51, np.uint8))
    summary = statistics.summary()
    assert summary["mean"].ravel().tolist() == pytest.approx([0.2] * 3)
    assert summary["count"].tolist() == [1]
