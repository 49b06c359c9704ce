"""Very many small episodes: their table is written some hundred rows at a time, and tiny ones share a row group."""

import numpy as np
import pyarrow.parquet as pq

from lerobot.dataset_tools.edit import merge
from lerobot.datasets.format.episodes import each_episode_stats
from lerobot.datasets.format.info import load_info
from lerobot.datasets.writer.recorder import DatasetRecorder

EPISODES, COPIES = 20, 30


def test_episodes_beyond_one_batch_are_those_of_the_sources(tmp_path):
    feature = {"dtype": "float32", "shape": (2,), "names": None}
    with DatasetRecorder.create(tmp_path / "few", 10, {"action": feature}) as recorder:
        for episode in range(EPISODES):
            for row in range(1 + episode % 3):
                recorder.add_frame({"action": np.array([episode, row], np.float32), "task": f"task {episode % 2}"})
            recorder.save_episode()
    many = merge([tmp_path / "few"] * COPIES, tmp_path / "many").root
    lengths = [1 + episode % 3 for episode in range(EPISODES)] * COPIES

    table = many / "meta/episodes/chunk-000/file-000.parquet"
    with pq.ParquetFile(table) as file:
        assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [500, 100]
        columns = file.read()
    assert columns.column("episode_index").to_pylist() == list(range(EPISODES * COPIES))
    assert columns.column("length").to_pylist() == lengths
    assert columns.column("dataset_to_index").to_pylist() == np.cumsum(lengths).tolist()
    assert columns.column("tasks").to_pylist() == [["task 0"], ["task 1"]] * (EPISODES * COPIES // 2)

    found = [stats["action"] for stats in each_episode_stats(many, load_info(many))]
    known = [stats["action"] for stats in each_episode_stats(tmp_path / "few", load_info(tmp_path / "few"))]
    assert len(found) == EPISODES * COPIES
    for number, stats in enumerate(found):
        assert {key: value.tolist() for key, value in stats.items()} == {
            key: value.tolist() for key, value in known[number % EPISODES].items()
        }
    with pq.ParquetFile(many / "data/chunk-000/file-000.parquet") as file:
        groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert sum(groups) == sum(lengths)
    # Whole episodes, of at most three rows, until there are 512.
    assert len(groups) == 3
    assert all(512 <= rows < 515 for rows in groups[:-1])
