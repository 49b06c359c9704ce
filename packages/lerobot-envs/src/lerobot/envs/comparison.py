"""Several policies beside each other: a table of success, and a plot."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, ROW = 720, 22
_LEFT, _RIGHT, _TOP, _BOTTOM = 240, 56, 12, 30
COLOURS = ("#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2", "#db2777", "#65a30d", "#475569", "#92400e")
STYLE = "text{font:12px sans-serif;fill:#222}.axis{stroke:#ccc}"
EVERYTHING = "all tasks"


def rows_of(reports: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Task, policy and counts, task by task and all tasks at the end; those of one task once.

    Args:
        reports: by name of the policy, see `lerobot.envs.report.report`.
    """
    first = next(iter(reports.values()))
    names = [f"{task['task_group']} {task['task_id']}" for task in first["per_task"]]
    each = [
        (name, label, results["per_task"][place])
        for place, name in enumerate(names)
        for label, results in reports.items()
    ]
    if len(names) == 1:
        return each
    return [*each, *((EVERYTHING, label, results["overall"]) for label, results in reports.items())]


def success_table(reports: Mapping[str, Mapping[str, Any]]) -> str:
    """A table in Markdown: success of every policy at every task, with its 95 % interval (Wilson) and by seed.

    Args:
        reports: by name of the policy, see `lerobot.envs.report.report`.
    """
    seeds = list(next(iter(reports.values())).get("per_seed", {}))
    lines = [
        "| policy | task | success | 95 % interval | solved | episodes |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for name, label, counts in rows_of(reports):
        low, high = counts["pc_success_interval_95"]
        cells = [label, name, f"{counts['pc_success']:.1f} %", f"{low:.1f} to {high:.1f} %"]
        lines.append(_line([*cells, str(counts["n_success"]), str(counts["n"])]))
    if seeds:
        lines += ["", _line(["policy", *(f"seed {seed}" for seed in seeds)]), _line(["---", *("---:" for _ in seeds)])]
        for label, results in reports.items():
            rates = [f"{results['per_seed'][seed]['pc_success']:.1f} %" for seed in seeds]
            lines.append(_line([label, *rates]))
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    escaped = [cell.replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


def success_plot(reports: Mapping[str, Mapping[str, Any]]) -> str:
    """The table as a picture in SVG: a dot for every rate, and a line for its interval.

    Args:
        reports: by name of the policy, see `lerobot.envs.report.report`.
    """
    colours = {label: COLOURS[place % len(COLOURS)] for place, label in enumerate(reports)}
    rows = rows_of(reports)
    height = _TOP + ROW * len(rows) + _BOTTOM
    bottom, wide = height - _BOTTOM, WIDTH - _LEFT - _RIGHT
    shapes = []
    for percent in (0, 25, 50, 75, 100):
        x = _LEFT + percent / 100 * wide
        shapes.append(f'<path class="axis" d="M{x:.1f} {_TOP}V{bottom}"/>')
        shapes.append(f'<text x="{x:.1f}" y="{height - 10}" text-anchor="middle">{percent} %</text>')
    for place, (name, label, counts) in enumerate(rows):
        y, colour = _TOP + ROW * (place + 0.5), colours[label]
        low, rate, high = (
            _LEFT + percent / 100 * wide
            for percent in (
                counts["pc_success_interval_95"][0],
                counts["pc_success"],
                counts["pc_success_interval_95"][1],
            )
        )
        said = f"{label}, {name}: {counts['n_success']} of {counts['n']}"
        shapes.append(
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(f"{name}  {label}")}</text>'
            f'<g stroke="{colour}" fill="{colour}"><title>{escape(said)}</title>'
            f'<path stroke-width="2" d="M{low:.1f} {y:.1f}H{high:.1f}"/>'
            f'<circle cx="{rate:.1f}" cy="{y:.1f}" r="4"/></g>'
            f'<text x="{WIDTH - _RIGHT + 8}" y="{y + 4:.1f}">{counts["pc_success"]:.1f} %</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="Success rates with 95 % intervals"><style>{STYLE}</style>'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>{"".join(shapes)}</svg>\n'
    )
