"""The page: one HTML file that needs no other."""

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from lerobot.dataset_tools.report.content import EpisodeDetail, ReportContent, element_names
from lerobot.dataset_tools.report.curves import bars, chart, legend
from lerobot.datasets.format.features import NUMERIC_DTYPES

_STATISTICS = ("min", "q01", "q50", "mean", "std", "q99", "max")


def render(content: ReportContent) -> str:
    """The page's HTML."""
    meta = content.meta
    style = files("lerobot.dataset_tools.report").joinpath("page.css").read_text(encoding="utf-8")
    sections = [
        _tiles(content),
        _findings(content),
        _section("Tasks", _tasks(content)),
        _section("Episodes", _lengths(content) + "".join(_episode(detail, content) for detail in content.details)),
        _section("Statistics", _statistics(content)),
        _section("Features", _features(content)),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(meta.repo_id)}</title><style>\n{style}</style></head><body><main>"
        f"<h1>{escape(meta.repo_id)}</h1>{''.join(sections)}</main></body></html>\n"
    )


def _tiles(content: ReportContent) -> str:
    meta = content.meta
    facts = {
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
    tiles = "".join(f"<li><b>{escape(value)}</b>{name}</li>" for name, value in facts.items())
    return f'<ul class="tiles">{tiles}</ul>'


def _findings(content: ReportContent) -> str:
    if content.findings is None:
        return ""
    if not content.findings:
        return _section("Findings", '<p class="good">Nothing found.</p>')
    rows = [
        (
            f'<span class="{finding.severity}">{finding.severity}</span>',
            escape(finding.check),
            "" if finding.episode is None else str(finding.episode),
            escape(finding.text),
        )
        for finding in content.findings
    ]
    return _section("Findings", _table(("", "check", "episode", "what"), rows))


def _tasks(content: ReportContent) -> str:
    rows = [
        (escape(task), f"{episodes:,}", f"{frames:,}", f"{frames / content.meta.fps:,.1f}")
        for task, (episodes, frames) in content.task_counts.items()
    ]
    return _table(("task", "episodes", "frames", "seconds"), rows, numbers_from=1)


def _lengths(content: ReportContent) -> str:
    lengths = content.meta.episodes.column("length") / content.meta.fps
    caption = f"Seconds: shortest {lengths.min():.1f}, median {np.median(lengths):.1f}, longest {lengths.max():.1f}."
    shown = len(content.details)
    note = "" if shown == len(lengths) else f" {shown} of {len(lengths)} episodes are shown below."
    return f"{bars(lengths.tolist(), 'length of each episode')}<p>{caption}{note}</p>"


def _episode(detail: EpisodeDetail, content: ReportContent) -> str:
    fps = content.meta.fps
    facts = f"{detail.length:,} frames, {detail.length / fps:.1f} s"
    if detail.timing is not None:
        timing = detail.timing
        facts += (
            f", recorded at {timing.rate:.2f} Hz (from row to row p50 {timing.p50_ms:.1f} ms, "
            f"p99 {timing.p99_ms:.1f} ms, worst {timing.worst_ms:.1f} ms)"
        )
    task = escape("; ".join(detail.tasks))
    parts = [f'<article><h3>Episode {detail.number} <small>{task}</small></h3><p>{facts}</p><div class="strips">']
    for key, pictures in detail.pictures.items():
        if isinstance(pictures, str):
            shown = f'<p class="error">{escape(pictures)}</p>'
        else:
            shown = "".join(
                f'<img src="{address}" alt="{escape(key)}, picture {number + 1}">'
                for number, address in enumerate(pictures)
            )
        parts.append(f"<figure>{shown}<figcaption>{escape(key)}</figcaption></figure>")
    parts.append('</div><div class="charts">')
    for key, names in content.vectors.items():
        drawn = chart(detail.columns[key], names, fps, content.bounds[key], f"{key} of episode {detail.number}")
        parts.append(f"<figure>{drawn}<figcaption>{escape(key)}</figcaption>{legend(names)}</figure>")
    parts.append("</div></article>")
    return "".join(parts)


def _statistics(content: ReportContent) -> str:
    stats, features = content.meta.stats, content.meta.features
    rows = []
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
            rows.append((escape(key), escape(name), *cells))
    if not rows:
        return "<p>The dataset has no statistics.</p>"
    return _table(("feature", "element", *_STATISTICS), rows, numbers_from=2)


def _features(content: ReportContent) -> str:
    rows = [
        (escape(key), escape(str(feature["dtype"])), " × ".join(map(str, feature["shape"])), escape(_codec(feature)))
        for key, feature in content.meta.features.items()
    ]
    return _table(("feature", "type", "shape", "stored as"), rows)


def _codec(feature: dict[str, Any]) -> str:
    info = feature.get("info") or {}
    names = ("video.codec", "video.pix_fmt", "video.fps")
    return " ".join(str(info[name]) for name in names if info.get(name) is not None)


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers_from: int | None = None) -> str:
    head = "".join(f"<th>{name}</th>" for name in header)
    first = len(header) if numbers_from is None else numbers_from
    body = "".join(
        "<tr>"
        + "".join(f"<td{' class=n' if place >= first else ''}>{cell}</td>" for place, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
