"""How long a user waits for an answer that needs no work: whole processes, wall time and peak memory."""

from measure import Run, median_run, peer_script, script, table

COMMANDS = [
    (["lerobot", "--help"], ["lerobot-info"]),
    (["lerobot", "plugins", "list"], ["lerobot-find-cameras", "--help"]),
    (["lerobot", "teleoperate", "--robot.type=fake", "--help"], ["lerobot-teleoperate", "--help"]),
]


def cells(result: Run | None) -> list[str]:
    return [f"{result.wall_s * 1000:.0f} ms", f"{result.peak_mb:.0f} MB"] if result else ["-", "-"]


def main() -> None:
    rows = []
    for ours, peers in COMMANDS:
        mine = median_run([script(ours[0]), *ours[1:]], repeats=9)
        assert mine.code == 0, mine.output
        peer = peer_script(peers[0])
        other = median_run([peer, *peers[1:]], repeats=1, HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1") if peer else None
        ratio = f"{other.wall_s / mine.wall_s:.0f}x" if other else "-"
        rows.append([" ".join(ours), *cells(mine), " ".join(peers), *cells(other), ratio])
    table(rows, ["command", "time", "memory", "peer's nearest command", "time", "memory", "ratio"])


if __name__ == "__main__":
    main()
