"""Images that are checked on an engine: the same findings in the same order."""

import numpy as np

from lerobot.dataset_tools.edit import merge
from lerobot.dataset_tools.verification.cameras import CheckInShards
from lerobot.dataset_tools.verification.verify import verify_dataset
from lerobot.jobs.config import LocalExecutorConfig


def test_an_engine_finds_the_same(make, tmp_path):
    record, _, image = make
    faults = {0: lambda e, f: image(e, f) * (f > 5), 1: lambda e, f: image(e, min(f, 20)), 2: image}
    parts = [
        record(
            tmp_path / f"part{number}", images=lambda e, f, fault=fault: fault(e, f).astype(np.uint8), lengths=(60, 60)
        )
        for number, fault in faults.items()
    ]
    root = merge(parts, tmp_path / "set", join_data=False, join_videos=False).root
    here = list(verify_dataset(root))
    assert {finding.check for finding in here} >= {"black_camera", "frozen_camera"}
    seen = []
    check = CheckInShards(LocalExecutorConfig(workers=2), 0.001, lambda done, total: seen.append((done, total)))
    assert list(verify_dataset(root, check=check)) == here
    assert seen[-1] == (3, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["part0", "part1", "part2", "set"]
