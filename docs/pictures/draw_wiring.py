"""Draw `NAME-wiring.svg`: the motors of each chain of a robot, in their order, from its tables."""

from pathlib import Path

from lerobot.aloha_robot import tables as aloha
from lerobot.hope_jr import tables as hope_jr
from lerobot.koch import tables as koch
from lerobot.lekiwi import tables as lekiwi
from lerobot.motors.arms.table import ArmTable
from lerobot.omx import tables as omx

ARMS = {
    "aloha": {"follower": aloha.FOLLOWER, "leader": aloha.LEADER},
    "hope-jr": {"arm": hope_jr.ARM, "hand": hope_jr.HANDS["right"]},
    "lekiwi": {"robot": lekiwi.LEKIWI},
    "koch": {"follower": koch.FOLLOWER, "leader": koch.LEADER},
    "omx": {"follower": omx.FOLLOWER, "leader": omx.LEADER},
}

WIDTH, HEIGHT, GAP, ROW, TOP = 96, 62, 20, 110, 30
"""Smallest size of a box, distance of boxes and of rows, and where the first row begins."""

LETTER = 7
"""Width of a letter."""

COLUMNS = 11
"""Boxes of a row; a longer chain goes on below."""

STYLE = (
    "text{font:12px sans-serif;fill:#1b1b1b;text-anchor:middle}rect{fill:#eef3f8;stroke:#33607f}path{stroke:#33607f}"
)


def drawing(arms: dict[str, ArmTable]) -> str:
    """The chains, one below the other."""
    width = max(WIDTH, *(LETTER * len(name) for table in arms.values() for name in table.joints))
    parts, rows, columns = [], 0, 0
    for role, table in arms.items():
        boxes = [("computer", "USB", ""), ("board", role, "power here")]
        boxes += [(f"id {joint.motor_id}", name, joint.model) for name, joint in table.joints.items()]
        parts.append(chain(boxes, width, TOP + rows * ROW))
        rows += -(-len(boxes) // COLUMNS)
        columns = max(columns, min(len(boxes), COLUMNS))
    size = f"{columns * (width + GAP)} {TOP + rows * ROW - 30}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img">',
            f"<style>{STYLE}</style>",
            '<rect width="100%" height="100%" style="fill:#fff;stroke:none"/>',
            *parts,
            "</svg>\n",
        ]
    )


def chain(boxes: list[tuple[str, str, str]], width: int, top: int) -> str:
    """Computer, board, and each motor with its id, joint and model."""
    parts = []
    for place, lines in enumerate(boxes):
        row, column = divmod(place, COLUMNS)
        x, y = 10 + column * (width + GAP), top + row * ROW
        if column:
            parts.append(f'<path d="M{x - GAP} {y + HEIGHT // 2}H{x}" stroke-width="3"/>')
        elif row:
            last, between = 10 + (COLUMNS - 1) * (width + GAP) + width // 2, y - (ROW - HEIGHT) // 2
            path = f"M{last} {y - ROW + HEIGHT}V{between}H{x + width // 2}V{y}"
            parts.append(f'<path d="{path}" stroke-width="3" fill="none"/>')
        parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="{HEIGHT}" rx="6"/>')
        parts += [
            f'<text x="{x + width // 2}" y="{y + 18 + 18 * line}">{text}</text>'
            for line, text in enumerate(lines)
            if text
        ]
    return "\n".join(parts)


def main() -> None:
    """Write the pictures beside this file."""
    for name, arms in ARMS.items():
        Path(__file__).with_name(f"{name}-wiring.svg").write_text(drawing(arms), encoding="utf-8")


if __name__ == "__main__":
    main()
