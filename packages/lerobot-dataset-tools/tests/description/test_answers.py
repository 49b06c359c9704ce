"""Requests line by line: each gets its own answer, whatever came before."""

import base64
import io
import json
import subprocess
import sys

import av
import numpy as np
import pytest
from PIL import Image

from lerobot.dataset_tools.description.answers import Answers
from lerobot.dataset_tools.edit import delete_episodes, undo
from lerobot.datasets.writer.recorder import DatasetRecorder

CAMERA = "observation.images.cam"


@pytest.fixture
def answers(tmp_path):
    (tmp_path / "films").mkdir()
    return Answers(tmp_path / "films")


def ask(answers, **request):
    line = answers.line(json.dumps(request, default=str))
    assert "\n" not in line
    return json.loads(line)


def test_two_datasets_in_turn_and_one_that_is_edited(tmp_path, make_dataset, answers):
    one, other = make_dataset(tmp_path / "a", [5, 7]), make_dataset(tmp_path / "b", [3], video=True)
    assert ask(answers, ask="summary", root=one)["answer"]["total_frames"] == 12
    assert ask(answers, ask="episode", root=other)["answer"]["frames"] == 3
    assert ask(answers, ask="episode", root=one, episode=1)["answer"]["frames"] == 7
    delete_episodes(one, [0])
    told = ask(answers, ask="describe", root=one)["answer"]
    assert ([each["frames"] for each in told["episodes"]], told["backup"]) == ([7], "a_old")
    assert ask(answers, ask="episode", root=one)["answer"]["columns"]["action"]["values"][0][0] == 5
    undo(one)
    assert ask(answers, ask="episode", root=one, episode=1)["answer"]["frames"] == 7


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "request"),
        ("[]", "request"),
        ('{"ask": "episode"}', "root"),
        ('{"ask": "everything", "root": "."}', "ask"),
        ('{"ask": "summary", "root": "/nowhere/at/all"}', "no dataset at /nowhere/at/all"),
        ('{"ask": "episode", "root": "ROOT", "episode": 9}', "episode 9 does not exist"),
        ('{"ask": "film", "root": "ROOT", "camera": "../x"}', "no camera '../x'"),
        ('{"ask": "picture", "root": "ROOT", "frame": 5}', "no frame 5"),
    ],
)
def test_what_cannot_be_answered_is_one_line(tmp_path, make_dataset, answers, line, said):
    root = make_dataset(tmp_path / "d", [5], video=True)
    answer = answers.line(line.replace("ROOT", str(root)))
    assert said in json.loads(answer)["error"]
    assert ask(answers, ask="summary", root=root)["answer"]["total_frames"] == 5


def test_a_picture(tmp_path, make_dataset, answers, number_of):
    root = make_dataset(tmp_path / "d", [5, 7], video=True)
    data = base64.b64decode(ask(answers, ask="picture", root=root, episode=1, frame=3)["answer"]["jpeg"])
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.width) == ("JPEG", 240)
        assert number_of(np.asarray(image.resize((192, 32)))) == 8
    without = make_dataset(tmp_path / "e", [5])
    assert ask(answers, ask="picture", root=without)["answer"] == {"jpeg": None}


def decoded(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_film_of_images_that_no_browser_plays(tmp_path, answers):
    """Of an odd size, and depth: every film has the even size and the colours that browsers know."""
    names = ["height", "width", "channels"]
    features = {
        "observation.images.odd": {"dtype": "image", "shape": (31, 45, 3), "names": names},
        "observation.images.far": {
            "dtype": "video",
            "shape": (32, 48, 1),
            "names": names,
            "info": {"is_depth_map": True},
        },
    }
    root = tmp_path / "d"
    with DatasetRecorder.create(root, 10, features) as recorder:
        for episode in range(2):
            for frame in range(4 + episode):
                depth = np.linspace(400, 900, 32 * 48).reshape(32, 48, 1).astype(np.uint16)
                image = np.full((31, 45, 3), 40 * frame + 20, np.uint8)
                recorder.add_frame({"observation.images.odd": image, "observation.images.far": depth}, "t")
            recorder.save_episode()
    told = ask(answers, ask="film", root=root, episode=1, camera="observation.images.odd")["answer"]
    images = decoded(told["film"])
    assert [image.shape for image in images] == [(32, 46, 3)] * 5
    assert [round(image.mean() / 40 - 0.5) for image in images] == [0, 1, 2, 3, 4]
    assert told["to_s"] == 0.5
    far = decoded(ask(answers, ask="film", root=root, episode=0, camera="observation.images.far")["answer"]["film"])
    assert len(far) == 4
    assert far[0][0].mean() < 40 < 215 < far[0][-1].mean()
    assert ask(answers, ask="film", root=root, episode=1, camera="observation.images.odd")["answer"] == told


def test_the_command_answers_until_its_input_ends(tmp_path, make_dataset):
    root = make_dataset(tmp_path / "d", [5, 7])
    lines = [json.dumps({"ask": "summary", "root": str(root)}), "nonsense", ""]
    words = [sys.executable, "-m", "lerobot_cli", "describe-dataset", "--follow"]
    done = subprocess.run(words, input="\n".join(lines), capture_output=True, text=True, timeout=120, check=True)
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["answer"]["total_episodes"] == 2
    assert "request" in second["error"]
