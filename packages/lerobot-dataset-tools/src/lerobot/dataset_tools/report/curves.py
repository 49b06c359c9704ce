"""Curves of an episode as inline SVG."""

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 560, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 8, 22
MOST_POINTS = 240
"""Pairs of extremes per line: more than that many rows share a pixel."""
COLOURS = ("#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2", "#db2777", "#65a30d", "#475569", "#92400e")


def thin(values: NDArray[np.float64], most: int = MOST_POINTS) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows that draw the same line as all of them: the lowest and the highest of each stretch.

    Args:
        values: `(n,)`; what is not finite is left out.
        most: stretches.

    Returns:
        Row numbers, ascending, and their values.
    """
    rows = np.flatnonzero(np.isfinite(values))
    if rows.size <= 2 * most:
        return rows, values[rows]
    kept = [
        part[place] for part in np.array_split(rows, most) for place in (values[part].argmin(), values[part].argmax())
    ]
    chosen = np.unique(np.concatenate([rows[:1], np.array(kept, np.int64), rows[-1:]]))
    return chosen, values[chosen]


def chart(
    values: NDArray[np.float64], names: Sequence[str], fps: float, bounds: tuple[float, float], title: str
) -> str:
    """A chart of the elements of a vector over time.

    Args:
        values: `(n, D)`, one line per element.
        names: of the elements.
        fps: rows per second.
        bounds: lowest and highest value of the axis, the same for every episode.
        title: for readers of the page who do not see it.
    """
    low, high = bounds
    span = (high - low) or 1.0
    seconds = max(len(values) - 1, 1) / fps
    plot_width, plot_height = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    lines = []
    for element, name in enumerate(names):
        rows, heights = thin(values[:, element])
        x = _LEFT + rows / max(len(values) - 1, 1) * plot_width
        y = _TOP + (1 - (heights - low) / span) * plot_height
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        colour = COLOURS[element % len(COLOURS)]
        # Arms with more joints than there are colours have dashed lines too.
        dashes = ' stroke-dasharray="5 3"' if element // len(COLOURS) % 2 else ""
        lines.append(f'<polyline points="{points}" stroke="{colour}"{dashes}><title>{escape(name)}</title></polyline>')
    bottom = HEIGHT - _BOTTOM
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f'<path class="axis" d="M{_LEFT} {_TOP}V{bottom}H{WIDTH - _RIGHT}"/>'
        f'<text x="{_LEFT - 5}" y="{_TOP + 9}" text-anchor="end">{high:.4g}</text>'
        f'<text x="{_LEFT - 5}" y="{bottom}" text-anchor="end">{low:.4g}</text>'
        f'<text x="{_LEFT}" y="{HEIGHT - 6}">0 s</text>'
        f'<text x="{WIDTH - _RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{seconds:.1f} s</text>'
        f"{''.join(lines)}</svg>"
    )


def legend(names: Sequence[str]) -> str:
    """Colour of every line."""
    entries = [
        f'<span><i style="border-top: 3px {"dashed" if place // len(COLOURS) % 2 else "solid"} '
        f'{COLOURS[place % len(COLOURS)]}"></i>{escape(name)}</span>'
        for place, name in enumerate(names)
    ]
    return f'<p class="legend">{"".join(entries)}</p>'


def bars(values: Sequence[float], title: str) -> str:
    """A bar for each value, such as the length of every episode."""
    width, height = 1120, 90
    top = max(values, default=0) or 1
    step = width / max(len(values), 1)
    shapes = [
        f'<rect x="{place * step:.1f}" y="{height - value / top * height:.1f}" width="{max(step - 1, 0.5):.1f}" '
        f'height="{value / top * height:.1f}"><title>{place}: {value:g}</title></rect>'
        for place, value in enumerate(values)
    ]
    return (
        f'<svg class="bars" viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(title)}">{"".join(shapes)}</svg>'
    )
