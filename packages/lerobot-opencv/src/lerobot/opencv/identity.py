"""Which cameras are attached, and the names under which they survive a reboot or another USB port."""

import sys
from pathlib import Path
from typing import Any

import cv2

DEVICES = Path("/dev")
STABLE = (Path("/dev/v4l/by-id"), Path("/dev/v4l/by-path"))
INDICES_ELSEWHERE = range(10)


def candidates() -> list[int | str]:
    """What may be a camera: every `/dev/video*` where there are such files (Linux), the first numbers elsewhere."""
    devices = [str(device) for device in DEVICES.glob("video*")]
    return [*sorted(devices, key=lambda device: (len(device), device))] or (
        [] if sys.platform.startswith("linux") else [*INDICES_ELSEWHERE]
    )


def stable_names(device: str, folders: tuple[Path, ...] = STABLE) -> list[str]:
    """Names of a device that do not depend on the order of plugging in: by serial number first, then by USB port."""
    target = Path(device).resolve()
    return [
        str(link)
        for folder in folders
        if folder.is_dir()
        for link in sorted(folder.iterdir())
        if link.resolve() == target
    ]


def find_cameras() -> list[dict[str, Any]]:
    """List every camera that opens.

    Returns:
        Per camera `name`, `type`, `id`, `backend_api`, `default_stream_profile` (`format`, `fourcc`, `width`,
        `height`, `fps`) and, where the system has them, `stable_names`.
    """
    found = []
    for candidate in candidates():
        capture = cv2.VideoCapture(candidate)
        try:
            if capture.isOpened():
                found.append(_describe(candidate, capture))
        finally:
            capture.release()
    return found


def _describe(candidate: int | str, capture: cv2.VideoCapture) -> dict[str, Any]:
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    description: dict[str, Any] = {
        "name": f"OpenCV Camera @ {candidate}",
        "type": "OpenCV",
        "id": candidate,
        "backend_api": capture.getBackendName(),
        "default_stream_profile": {
            "format": capture.get(cv2.CAP_PROP_FORMAT),
            "fourcc": "".join(chr((code >> shift) & 0xFF) for shift in (0, 8, 16, 24)).strip("\0"),
            "width": int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            "height": int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            "fps": capture.get(cv2.CAP_PROP_FPS),
        },
    }
    if isinstance(candidate, str) and (names := stable_names(candidate)):
        description["stable_names"] = names
    return description
