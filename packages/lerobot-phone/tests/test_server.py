"""The page and its connection, over TLS, with phones that do what they should not."""

import http.client
import json
import logging
import random
import ssl
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from web_phone import WebPhone, pose, until
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lerobot.core.errors import ConfigError, DeviceConnectionError
from lerobot.phone.certificate import own_certificate
from lerobot.phone.config import PhoneConfig
from lerobot.phone.teleoperator import Phone

Web = Callable[..., WebPhone]


def taken_hold(web: WebPhone, phone: Phone, **data: Any) -> None:
    """Let go, and take hold, as a person does."""
    web.send(pose(**data))
    web.send(pose(True, **data))
    until(lambda: phone.get_action()["phone.enabled"])


def test_a_phone_moves_and_a_closed_page_holds(phone: Phone, web: Web) -> None:
    page = web()
    taken_hold(page, phone)
    page.send(pose(True, x=0.01, y=0.02, z=-0.03))
    action = until(lambda: (found := phone.get_action())["phone.pos"].any() and found)
    assert action["phone.pos"] == pytest.approx([0.03, -0.01, 0.02])
    assert action["phone.raw_inputs.move"] == 1.0
    page.connection.close()
    until(lambda: not phone.get_action()["phone.enabled"])
    assert not phone.get_action()["phone.pos"].any()


def test_the_page_is_told_whether_the_arm_follows(phone: Phone, web: Web) -> None:
    page = web()
    taken_hold(page, phone)
    assert json.loads(page.connection.recv(timeout=10)) == {"type": "state", "enabled": True}
    page.send({"type": "lost"})
    assert json.loads(page.connection.recv(timeout=10)) == {"type": "state", "enabled": False}


def test_silence_and_lost_tracking_hold_until_it_is_taken_anew(phone: Phone, web: Web) -> None:
    page = web()
    taken_hold(page, phone)
    page.send({"type": "lost"})
    until(lambda: not phone.get_action()["phone.enabled"])
    page.send(pose(True))
    until(lambda: phone.get_action()["phone.raw_inputs.move"])
    assert not phone.get_action()["phone.enabled"]
    taken_hold(page, phone)
    time.sleep(phone.config.max_age_s + 0.05)
    assert not phone.get_action()["phone.enabled"]


def test_a_pose_is_relative_to_where_it_was_taken(phone: Phone, web: Web) -> None:
    page = web()
    taken_hold(page, phone)
    page.send(pose(True, z=-0.03))
    until(lambda: phone.get_action()["phone.pos"].any())
    page.send(pose(z=-0.03))
    until(lambda: not phone.get_action()["phone.enabled"])
    taken_hold(page, phone, z=-0.03)
    assert phone.get_action()["phone.pos"] == pytest.approx([0, 0, 0], abs=1e-6)


@pytest.mark.parametrize("ahead_s", [3600.0, -3600.0])
def test_a_clock_off_by_an_hour_changes_nothing(phone: Phone, web: Web, ahead_s: float) -> None:
    page = web()
    page.send(pose(time=time.time() + ahead_s))
    page.send(pose(True, time=time.time() + ahead_s))
    until(lambda: phone.get_action()["phone.enabled"])


def test_a_slow_network_holds(phone: Phone, web: Web) -> None:
    """Poses that come a second after they were measured are commands of a second ago."""
    page = web()
    taken_hold(page, phone, time=1000.0)
    page.send(pose(True, time=1000.01))
    time.sleep(0.05)
    page.send(pose(True, z=-0.01, time=999.0 + 1.02))
    page.send(pose(True, z=-0.02, time=1000.03))
    assert phone.get_action()["phone.enabled"]
    time.sleep(phone.config.max_age_s + 0.1)
    page.send(pose(True, z=-0.03, time=1000.04))
    until(lambda: not phone.get_action()["phone.enabled"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"token": "wrong"}, "403"),
        ({"token": ""}, "403"),
        ({"origin": "https://elsewhere.example"}, "403"),
        ({"origin": "null"}, "403"),
    ],
)
def test_who_may_not_is_refused(
    phone: Phone, told: Any, trusted: Callable[[], ssl.SSLContext], change: dict[str, str], says: str
) -> None:
    url = told.url if "token" not in change else told.url.partition("token=")[0] + f"token={change['token']}"
    with pytest.raises(InvalidStatus, match=says), WebPhone(url, trusted(), change.get("origin")):
        pass
    assert not phone.get_action()["phone.enabled"]


def test_the_pages_own_origin_may(phone: Phone, told: Any, web: Web) -> None:
    place = urlsplit(told.url)
    taken_hold(web(origin=f"https://{place.netloc}"), phone)


def test_a_second_phone_is_told_and_the_first_goes_on(phone: Phone, web: Web) -> None:
    first = web()
    taken_hold(first, phone)
    second = web()
    with pytest.raises(ConnectionClosed, match="another phone drives the arm"):
        second.connection.recv(timeout=10)
    taken_hold(first, phone)
    first.connection.close()
    third = until(lambda: _let_in(web))
    taken_hold(third, phone)


def _let_in(web: Web) -> WebPhone | None:
    page = web()
    try:
        page.connection.recv(timeout=0.1)
    except TimeoutError:
        return page
    except ConnectionClosed:
        return None
    return page


def test_garbage_is_told_once_and_moves_nothing(phone: Phone, web: Web, caplog: pytest.LogCaptureFixture) -> None:
    values, page = random.Random(0), web()
    taken_hold(page, phone)
    with caplog.at_level(logging.WARNING):
        for _ in range(300):
            page.send(values.randbytes(values.randrange(1, 100)) if values.random() < 0.5 else '{"type": "pose"}')
            page.send(pose(True))
        until(lambda: "only counted" in caplog.text)
        action = until(lambda: (found := phone.get_action())["phone.enabled"] and found)
    assert action["phone.pos"] == pytest.approx([0, 0, 0], abs=1e-6)
    assert len([record for record in caplog.records if "lerobot.phone" in record.name]) == 1


def test_a_message_that_is_too_long_ends_the_connection(phone: Phone, web: Web) -> None:
    page = web()
    page.send("x" * 100_000)
    with pytest.raises(ConnectionClosed):
        page.connection.recv(timeout=10)
    assert not phone.get_action()["phone.enabled"]


# --- the page ---------------------------------------------------------------------------------------------------------


def got(url: str, tls: ssl.SSLContext) -> http.client.HTTPResponse:
    place = urlsplit(url)
    connection = http.client.HTTPSConnection(place.netloc, context=tls, timeout=10)
    connection.request("GET", f"{place.path}?{place.query}")
    response = connection.getresponse()
    response.body = response.read()  # type: ignore[attr-defined]
    connection.close()
    return response


def test_the_page_comes_with_its_script_and_asks_nobody_else(
    phone: Phone, told: Any, trusted: Callable[[], ssl.SSLContext]
) -> None:
    page: Any = got(told.url, trusted())
    assert page.status == 200
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert page.headers["Referrer-Policy"] == "no-referrer", "the address has the token"
    assert b'src="/phone.js"' in page.body
    assert b"http" not in page.body
    script: Any = got(told.url.replace("/?", "/phone.js?"), trusted())
    assert script.status == 200
    assert b"getViewerPose" in script.body
    assert got(told.url + "x", trusted()).status == 403
    assert got(told.url.replace("/?", "/etc/passwd?"), trusted()).status == 404
    assert got(told.url.replace("/?", "/../config.py?"), trusted()).status == 404


def test_the_certificate_is_made_once_for_this_computer_alone(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    certificate, key = own_certificate(folder, ["localhost", "127.0.0.1"])
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = certificate.read_bytes()
    assert own_certificate(folder, ["127.0.0.1"]) == (certificate, key)
    assert certificate.read_bytes() == before
    own_certificate(folder, ["localhost", "10.0.0.7"])
    assert certificate.read_bytes() != before
    certificate.write_text("damaged")
    own_certificate(folder, ["localhost"])
    assert ssl.create_default_context(cafile=certificate)


def test_what_cannot_be_used_is_named(tmp_path: Path, told: Any, phone: Phone) -> None:
    port = urlsplit(told.url).port
    with pytest.raises(DeviceConnectionError, match=f"nothing can listen on 127.0.0.1:{port}"):
        Phone(PhoneConfig(phone_os="android", port=port), prompter=told).connect()
    (tmp_path / "none.pem").write_text("none")
    wrong = PhoneConfig(phone_os="android", port=0, tls_cert=tmp_path / "none.pem", tls_key=tmp_path / "none.pem")
    with pytest.raises(ConfigError, match=r"none\.pem"):
        Phone(wrong, prompter=told).connect()


def test_a_token_of_a_file_is_the_one_that_counts(tmp_path: Path, told: Any) -> None:
    (tmp_path / "token.txt").write_text("a-token-of-twenty-letters")
    with Phone(PhoneConfig(phone_os="android", port=0, token_file=tmp_path / "token.txt"), prompter=told):
        assert told.url.endswith("token=a-token-of-twenty-letters")


def test_the_camera_is_not_the_middle_of_the_phone(told: Any, trusted: Callable[[], ssl.SSLContext]) -> None:
    """Turning the phone about its middle moves its camera, and not the arm."""
    config = PhoneConfig(phone_os="android", port=0, camera_offset=(0.1, 0.0, 0.0), max_age_s=2.0)
    turn = {"x": 0, "y": float(np.sin(0.1)), "z": 0, "w": float(np.cos(0.1))}
    with Phone(config, prompter=told) as phone, WebPhone(told.url, trusted()) as page:
        taken_hold(page, phone)
        # The camera, 10 cm ahead of the middle, goes to 10 cm * (cos 0.2, sin 0.2) in the robot's frame.
        page.send(pose(True, x=-0.1 * np.sin(0.2), z=0.1 * (1 - np.cos(0.2)), orientation=turn))
        action = until(lambda: (found := phone.get_action())["phone.rot"].any() and found)
        assert action["phone.rot"] == pytest.approx([0, 0, 0.2], abs=1e-6)
        assert action["phone.pos"] == pytest.approx([0, 0, 0], abs=1e-6)


def test_a_certificate_that_cannot_be_kept_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    (tmp_path / "phone").write_text("a file where the folder should be")
    with pytest.raises(DeviceConnectionError, match="certificate cannot be kept"):
        Phone(PhoneConfig(phone_os="android", port=0)).connect()
