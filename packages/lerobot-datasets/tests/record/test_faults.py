"""Disks that are full, encoders that are slow, voices and terminals that fail."""

import errno
import io
import sys
import time

import av
import pytest

from lerobot.core.errors import DatasetError
from lerobot.core.fake.pattern import FramePattern
from lerobot.datasets.record import progress
from lerobot.datasets.record.command import record
from lerobot.datasets.record.progress import Progress
from lerobot.datasets.video.encode import VideoFileEncoder
from lerobot.datasets.writer import commit
from lerobot.datasets.writer.recorder import DatasetRecorder


def test_a_full_disk_keeps_what_was_saved_and_brings_the_arm_to_rest(tmp_path, kit, monkeypatch):
    root = tmp_path / "set"
    flush = commit.flush_file

    def full(path):
        if path.name == "data.parquet" and kit.info(root)["total_episodes"] == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(path)

    monkeypatch.setattr(commit, "flush_file", full)
    with pytest.raises(DatasetError, match="No space left on device") as failure:
        record(kit.config(root, dataset={"num_episodes": 3}))
    assert "saved episodes are unharmed" in str(failure.value)
    assert len(kit.lengths(root)) == kit.info(root)["total_episodes"] == 1
    assert kit.built[0].log[-1].event == "torque off"
    monkeypatch.undo()
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    record(kit.config(root, resume=True, dataset={"num_episodes": 1}))
    assert len(kit.lengths(root)) == 2


def test_a_disk_that_is_full_at_the_last_episode_is_told_with_the_arm_at_rest(tmp_path, kit, monkeypatch):
    monkeypatch.setattr(commit, "flush_file", full_disk)
    with pytest.raises(DatasetError, match="No space left on device"):
        record(kit.config(tmp_path / "set", dataset={"num_episodes": 1}))
    assert kit.built[0].log[-1].event == "torque off"


def full_disk(_path):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_arm_goes_on_while_an_episode_is_saved_and_is_at_rest_before_the_last_one_is(tmp_path, kit, monkeypatch):
    """Saving waits for ten commands more, or for the arm to be let go of: neither comes if somebody waits for it."""
    original, seen = DatasetRecorder.save_episode, []

    def save(recorder):
        log, before = kit.built[0].log, len(kit.built[0].log)
        for _ in range(1000):
            if log[-1].event == "torque off" or len(log) >= before + 10:
                seen.append(log[-1].event)
                return original(recorder)
            time.sleep(0.01)
        raise AssertionError("the arm waits for the dataset")

    monkeypatch.setattr(DatasetRecorder, "save_episode", save)
    record(kit.config(tmp_path / "set", cameras=0))
    assert seen == ["command", "torque off"]
    assert len(kit.lengths(tmp_path / "set")) == 2


def test_a_slow_encoder_slows_the_loop_and_loses_nothing(tmp_path, kit, monkeypatch, capsys):
    root = tmp_path / "set"
    add = VideoFileEncoder.add

    def slow(self, image):
        time.sleep(0.1)
        add(self, image)

    monkeypatch.setattr(VideoFileEncoder, "add", slow)
    record(kit.config(root, dataset={"num_episodes": 1, "episode_time_s": 0.6, "encoder_queue_maxsize": 1}))
    said = capsys.readouterr().out
    assert "for encoders" in said
    assert " 0 missed" not in said
    (length,) = kit.lengths(root)
    assert length < 18
    (video,) = root.glob("videos/*/*/*.mp4")
    with av.open(str(video)) as container:
        assert sum(1 for _ in container.decode(video=0)) == length


def test_an_encoder_that_fails_costs_only_its_episode(tmp_path, kit, monkeypatch):
    root = tmp_path / "set"
    add = VideoFileEncoder.add

    def broken(self, image):
        if kit.info(root)["total_episodes"] == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        add(self, image)

    monkeypatch.setattr(VideoFileEncoder, "add", broken)
    with pytest.raises(DatasetError, match="No space left on device"):
        record(kit.config(root, dataset={"num_episodes": 3}))
    assert len(kit.lengths(root)) == 1
    assert kit.built[0].log[-1].event == "torque off"


@pytest.mark.parametrize("frozen", [True, False])
def test_a_camera_that_gives_one_image_as_if_it_were_new_is_told_of(tmp_path, kit, monkeypatch, capsys, frozen):
    if frozen:
        draw = FramePattern.draw
        monkeypatch.setattr(FramePattern, "draw", lambda self, number: draw(self, 0))
    record(kit.config(tmp_path / "set", dataset={"num_episodes": 1, "episode_time_s": 1.4}))
    assert ("camera view0 gave one image for 1." in capsys.readouterr().out) == frozen


class Tty(io.StringIO):
    def isatty(self):
        return True


def test_the_line_that_changes_gives_way_to_lines_that_stay():
    stream = Tty()
    line = Progress(stream=stream)
    assert line.due()
    line.show("one")
    assert not line.due()
    line.say("two")
    line.show("three")
    line.close()
    line.close()
    assert stream.getvalue() == "\rone\x1b[K\r\x1b[Ktwo\n\rthree\x1b[K\n"


def test_elsewhere_every_line_stays():
    stream = io.StringIO()
    line = Progress(stream=stream)
    line.show("one")
    line.say("two")
    line.close()
    assert stream.getvalue() == "one\ntwo\n"


def test_a_reader_who_left_does_not_end_the_recording(caplog):
    class Closed(io.StringIO):
        def flush(self):
            raise OSError(errno.EIO, "Input/output error")

    line = Progress(stream=Closed())
    line.say("one")
    line.show("two")
    line.close()
    assert caplog.text.count("not shown any more") == 1


def test_announcements_are_spoken_without_waiting_and_failures_ignored(tmp_path, monkeypatch):
    heard = tmp_path / "heard"
    voice = tmp_path / "voice"
    voice.write_text(f"#!{sys.executable}\nimport sys\nopen({str(heard)!r}, 'w').write(sys.argv[1])\nsys.exit(1)\n")
    voice.chmod(0o755)
    monkeypatch.setattr(progress, "SPEAKERS", ("no-such-voice", str(voice)))
    line = Progress(speak=True, stream=io.StringIO())
    line.announce("Recording episode 0")
    assert line._speaking is not None
    line._speaking.wait(60)
    assert heard.read_text() == "Recording episode 0"
    voice.write_text("no program at all")
    line.announce("Exiting")
    voice.unlink()
    line.announce("Exiting")
