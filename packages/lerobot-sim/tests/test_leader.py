"""The simulated leader arm."""

from pathlib import Path

import pytest

from lerobot.core.errors import DeviceError
from lerobot.sim.config import SimLeaderConfig, SimSO101Config
from lerobot.sim.joints import KEYS
from lerobot.sim.leader import SimLeader, solve
from lerobot.sim.robot import SimSO101
from lerobot.sim.world import HOME

HEADER = ",".join(["time_s", *KEYS])


def leader(clock: object, **fields: object) -> SimLeader:
    return SimLeader(SimLeaderConfig(**fields), clock=clock)


def write(folder: Path, *lines: str) -> Path:
    file = folder / "path.csv"
    file.write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    return file


def test_it_follows_a_file_and_begins_again(clock: object, tmp_path: Path) -> None:
    path = write(tmp_path, "5.0,0,0,0,0,0,0", "6.0,10,20,0,0,0,100")
    with leader(clock, path=path) as device:
        assert device.get_action()["shoulder_pan.pos"] == 0
        clock.time_s += 0.25
        action = device.get_action()
        assert action["shoulder_pan.pos"] == pytest.approx(2.5)
        assert action["gripper.pos"] == pytest.approx(25)
        clock.time_s += 1.0
        assert device.get_action()["shoulder_lift.pos"] == pytest.approx(5.0)


def test_without_repeat_it_holds_the_end(clock: object, tmp_path: Path) -> None:
    path = write(tmp_path, "0,0,0,0,0,0,0", "1,10,0,0,0,0,0")
    with leader(clock, path=path, repeat=False) as device:
        device.get_action()
        clock.time_s += 60
        assert device.get_action()["shoulder_pan.pos"] == 10


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "no rows"),
        (["1,0,0,0,0,0,0", "1,0,0,0,0,0,0"], "do not grow"),
        (["0,0,0,0,0,0,x"], "ValueError"),
        (["0,0,0,0,0,0"], "TypeError"),
        (["0,0,0,0,0,0,nan"], "not numbers"),
        (["0,500,0,0,0,0,0"], "shoulder_pan.pos leaves its range"),
    ],
)
def test_a_file_that_is_no_path_is_refused(lines: list[str], message: str, clock: object, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=message) as error:
        leader(clock, path=write(tmp_path, *lines)).connect()
    assert "path.csv" in str(error.value)


def test_a_missing_file_is_named(clock: object, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"nowhere\.csv"):
        leader(clock, path=tmp_path / "nowhere.csv").connect()


def test_an_experts_path_lifts_the_cube_of_that_episode(clock: object) -> None:
    """The follower of the handle solves the episode the path was made for, and comes home."""
    with (
        SimSO101(SimSO101Config(seed=4, episode=1), clock=clock) as robot,
        leader(clock, seed=4, episode=1, repeat=False) as device,
    ):
        solved = []
        for _ in range(250):
            robot.send_action(device.get_action())
            clock.time_s += 1 / 30
            robot.get_observation()
            solved.append(robot.world.task.solved(robot.world))
        assert any(solved)
        assert robot.world.joint_positions == pytest.approx(HOME, abs=0.05)


def test_a_solution_ends_where_it_began() -> None:
    path = solve("reach", seed=0, episode=0)
    assert path.times[0] == 0.0
    assert 1.0 < path.times[-1] < 6.0
    assert path.positions.shape == (len(path.times), 6)
    assert path.positions[-1] == pytest.approx(path.positions[0], abs=3.0)
