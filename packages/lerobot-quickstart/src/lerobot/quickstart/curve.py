"""A learning curve as inline SVG."""

from collections.abc import Sequence

WIDTH, HEIGHT = 640, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 10, 12, 28


def learning_curve(points: Sequence[tuple[int, float]]) -> str:
    """Draw loss over steps, from zero to the largest of each.

    Args:
        points: step and loss, in order; at least one.
    """
    last, highest = max(points[-1][0], 1), max(max(loss for _, loss in points), 1e-9)
    wide, high = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    line = " ".join(
        f"{_LEFT + step / last * wide:.1f},{_TOP + (1 - loss / highest) * high:.1f}" for step, loss in points
    )
    rules = "".join(
        f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{part * highest:.2g}</text>'
        for part in (0, 0.5, 1)
        for y in (_TOP + (1 - part) * high,)
    )
    steps = "".join(
        f'<text x="{_LEFT + part * wide:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{part * last:.0f}</text>'
        for part, anchor in ((0, "start"), (0.5, "middle"), (1, "end"))
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Loss over steps of training">'
        f'{rules}{steps}<polyline points="{line}"/></svg>'
    )
