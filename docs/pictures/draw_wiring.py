"""Draw `NAME-wiring.svg`: the motors of an arm's follower and leader, in the order of the chain, from its tables."""

from pathlib import Path

from lerobot.aloha_robot import tables as aloha
from lerobot.koch import tables as koch
from lerobot.motors.arms.table import ArmTable
from lerobot.omx import tables as omx

ARMS = {
    "aloha": {"follower": aloha.FOLLOWER, "leader": aloha.LEADER},
    "koch": {"follower": koch.FOLLOWER, "leader": koch.LEADER},
    "omx": {"follower": omx.FOLLOWER, "leader": omx.LEADER},
}

WIDTH, HEIGHT, STEP, ROW, TOP = 96, 62, 116, 110, 30
"""Size of a box, distance of boxes and of chains, and where the first chain begins."""

STYLE = (
    "text{font:12px sans-serif;fill:#1b1b1b;text-anchor:middle}rect{fill:#eef3f8;stroke:#33607f}path{stroke:#33607f}"
)


def drawing(arms: dict[str, ArmTable]) -> str:
    """The chains, one below the other."""
    chains = [chain(role, table, TOP + row * ROW) for row, (role, table) in enumerate(arms.items())]
    columns = 2 + max(len(table.joints) for table in arms.values())
    size = f"{columns * STEP} {TOP + len(arms) * ROW - 30}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img">',
            f"<style>{STYLE}</style>",
            '<rect width="100%" height="100%" style="fill:#fff;stroke:none"/>',
            *chains,
            "</svg>\n",
        ]
    )


def chain(role: str, table: ArmTable, y: int) -> str:
    """Computer, board, and each motor with its id, joint and model."""
    boxes = [("computer", "USB", ""), ("board", role, "power here")]
    boxes += [(f"id {joint.motor_id}", name, joint.model) for name, joint in table.joints.items()]
    parts = []
    for column, lines in enumerate(boxes):
        x = 10 + column * STEP
        if column:
            parts.append(f'<path d="M{x - STEP + WIDTH} {y + HEIGHT // 2}H{x}" stroke-width="3"/>')
        parts.append(f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>')
        parts += [
            f'<text x="{x + WIDTH // 2}" y="{y + 18 + 18 * line}">{text}</text>'
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
