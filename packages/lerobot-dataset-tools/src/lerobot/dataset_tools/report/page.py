"""The page: one HTML file that needs no other."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import jinja2
import numpy as np

from lerobot.core.words import counted
from lerobot.dataset_tools.report.content import EpisodeDetail, ReportContent
from lerobot.dataset_tools.report.curves import bars, chart, legend
from lerobot.datasets.format.features import NUMERIC_DTYPES, element_names

_STATISTICS = ["min", "q01", "q50", "mean", "std", "q99", "max"]


def render(content: ReportContent) -> str:
    """The page's HTML."""
    room = files("lerobot.dataset_tools.report")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(room.joinpath("page.html").read_text(encoding="utf-8"))
    lengths_s = content.meta.episodes.column("length") / content.meta.fps
    return template.render(
        content=content,
        meta=content.meta,
        style=room.joinpath("page.css").read_text(encoding="utf-8"),
        tiles=_tiles(content),
        tasks=[
            (task, f"{episodes:,}", f"{frames:,}", f"{frames / content.meta.fps:,.1f}")
            for task, (episodes, frames) in content.task_counts.items()
        ],
        lengths_s=lengths_s.tolist(),
        lengths=_lengths(lengths_s, len(content.details)),
        facts=lambda detail: _facts(detail, content.meta.fps),
        statistic_names=_STATISTICS,
        statistics=list(_statistics(content)),
        features=[
            (key, feature["dtype"], " × ".join(map(str, feature["shape"])), _codec(feature))
            for key, feature in content.meta.features.items()
        ],
        bars=bars,
        curves=lambda axis, detail, title: chart(
            detail.columns[axis.key][:, axis.elements], axis.names, content.meta.fps, axis.bounds, title
        ),
        legend=legend,
    )


def _tiles(content: ReportContent) -> dict[str, str]:
    meta = content.meta
    return {
        "episodes": f"{meta.total_episodes:,}",
        "frames": f"{meta.total_frames:,}",
        "minutes": f"{meta.total_frames / meta.fps / 60:.1f}",
        "Hz": f"{meta.fps:g}",
        "cameras": str(len(meta.camera_keys)),
        "tasks": str(len(content.task_counts)),
        "MB": f"{content.size_bytes / 1e6:,.1f}",
        "robot": meta.robot_type or "not named",
        "format": meta.info.codebase_version,
    }


def _lengths(lengths_s: np.ndarray[Any, Any], shown: int) -> str:
    text = f"Seconds: shortest {lengths_s.min():.1f}, median {np.median(lengths_s):.1f}, longest {lengths_s.max():.1f}."
    return text if shown == len(lengths_s) else f"{text} {shown} of {len(lengths_s)} episodes are shown below."


def _facts(detail: EpisodeDetail, fps: float) -> str:
    text = f"{counted(detail.length, 'frame')}, {detail.length / fps:.1f} s"
    if detail.timing is None:
        return text
    timing = detail.timing
    return (
        f"{text}, recorded at {timing.rate:.2f} Hz (from row to row p50 {timing.p50_ms:.1f} ms, "
        f"p99 {timing.p99_ms:.1f} ms, worst {timing.worst_ms:.1f} ms)"
    )


def _statistics(content: ReportContent) -> Iterator[tuple[str, ...]]:
    """A row per element of every feature that has statistics."""
    stats, features = content.meta.stats, content.meta.features
    for key, feature in features.items():
        if key not in stats:
            continue
        names = element_names(feature) if feature["dtype"] in NUMERIC_DTYPES else ("red", "green", "blue")
        values = {name: np.ravel(stats[key][name]) for name in _STATISTICS if name in stats[key]}
        for place in range(max((len(column) for column in values.values()), default=0)):
            name = names[place] if place < len(names) else str(place)
            cells = [
                f"{values[which][place]:.5g}" if which in values and place < len(values[which]) else ""
                for which in _STATISTICS
            ]
            yield (key, name, *cells)


def _codec(feature: dict[str, Any]) -> str:
    info = feature.get("info") or {}
    names = ("video.codec", "video.pix_fmt", "video.fps")
    return " ".join(str(info[name]) for name in names if info.get(name) is not None)
