"""Set up: what is attached and what is wrong with it, as the commands say it."""

import http.client
import json
import time
from pathlib import Path

from studio_client import Studio

from lerobot.studio.answer import Answer


def test_the_page_offers_to_calibrate_a_device(studio: Studio) -> None:
    page = studio.get("/setup?argument=--robot.type%3Dfake&argument=--robot.id%3Done").text
    assert "lerobot calibrate --robot.type=fake --robot.id=one" in page
    assert 'formaction="/command/setup-motors"' in page


def test_ports_are_those_of_this_computer(studio: Studio) -> None:
    page = studio.get("/setup/ports").text
    assert "lerobot find-port --list_only=true --format=json" in page
    assert "problem" not in page


def test_facts_problems_and_findings_are_shown(studio: Studio, monkeypatch) -> None:
    asked = []
    facts = {"plugins": 41, "packages": 4, "problems": ["broken <plugin>"], "facts": [
        {"subject": "disk", "found": "full", "advice": "Make room."}
    ]}  # fmt: skip
    finding = {"where": "the whole line", "cause": "low voltage", "what": "4.1 V", "hint": "Use another supply."}
    answers = {"doctor": facts, "hardware": {"fake(one)": [finding]}}

    def ask(*words: str) -> Answer:
        asked.append(words)
        return Answer("lerobot doctor", 1, json.dumps(answers["hardware" if "hardware" in words else "doctor"]))

    monkeypatch.setattr("lerobot.studio.setup.pages.ask", ask)
    page = studio.get("/setup/doctor").text
    for told in ("41 plugins of 4 packages", "broken &lt;plugin&gt;", "Make room."):
        assert told in page
    page = studio.post("/setup/examine", {"--robot.type": "fake", "--robot.id": "one", "wish": "start"}).text
    for told in ("fake(one): 1 wrong", "low voltage", "Use another supply."):
        assert told in page
    assert asked[-1][:2] == ("doctor", "hardware")
    assert {*asked[-1][2:]} == {"--robot.id=one", "--robot.type=fake", "--format=json"}
    assert "which device to examine" in studio.post("/setup/examine", {"--x": "y"}).text
    assert len(asked) == 2


def test_cameras_are_free_when_the_page_is_closed(studio: Studio) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", studio.port, timeout=60)
    connection.request("GET", "/setup/cameras?type=fake", headers=studio.headers)
    stream = connection.getresponse()
    events = (line.decode() for line in iter(stream.readline, b""))
    cameras = (json.loads(line.removeprefix("data: ")) for line in events if line.startswith('data: [{"type"'))
    shown = [next(cameras)[0] for _ in range(2)]
    assert shown[0]["picture"] != shown[1]["picture"], "the second is a newer one"
    assert studio.ask("GET", shown[1]["picture"]).headers["content-type"] == "image/png"
    picture = studio.home / "studio/cameras/fake_0.png"
    stream.close()
    connection.close()
    deadline = time.monotonic() + 20
    while _changes(picture) and time.monotonic() < deadline:
        pass
    assert not _changes(picture)


def _changes(path: Path) -> bool:
    before = path.stat().st_mtime_ns
    time.sleep(0.5)
    return path.stat().st_mtime_ns != before


def test_only_pictures_are_handed_out(studio: Studio) -> None:
    for name in ("..%2Ftoken", "%2Fetc%2Fpasswd", ".hidden.png", "none.png"):
        assert studio.get(f"/setup/picture/{name}").status in {400, 404}
