"""What recording and reading find on this machine."""

from collections.abc import Callable

from lerobot.core.hooks import hookimpl
from lerobot.core.installation import Fact


@hookimpl
def examine_installation(tell: Callable[[Fact], None]) -> None:
    """Which encoders can be used."""
    import av

    from lerobot.datasets.video.encode import available_encoders

    software = [name for name in ("libx264", "libx265", "libsvtav1") if name in av.codecs_available]
    hardware = sorted(available_encoders())
    tell(Fact("video", f"PyAV {av.__version__}: {', '.join(software)}; on hardware: {', '.join(hardware) or 'none'}"))
