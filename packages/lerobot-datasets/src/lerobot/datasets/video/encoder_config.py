"""How images become video: the format's encoder settings, with defaults that keep up on two cores.

Measured by `tests/benchmarks/bench_recording.py --codecs`: 640x480, one thread, two frames per group, sensor noise:

| codec, preset, crf | images per core second | kB/image | PSNR |
|---|--:|--:|--:|
| h264 ultrafast 21 | 528 | 10.0 | 36.9 dB |
| h264 veryfast 21 | 229 | 6.7 | 36.8 dB |
| libsvtav1 12 30 | 97 | 6.2 | 36.5 dB |
| hevc ultrafast 26 | 68 | 5.2 | 35.5 dB |

Two cameras at 30 images/s need 60/s beside a control loop: a tenth of a core with h264, more than half a core with
AV1. On recordings of a real arm h264 also took 1.3 ms for an image at random where AV1 took 2.9 ms. It pays with up to
1.6 times the size. A dataset that must be small can be encoded again later; an image that came too late cannot be
taken again. So h264 is the default.
"""

from typing import Any, Literal

from pydantic import Field

from lerobot.core.config.base import ConfigModel

VideoCodec = Literal[
    "h264",
    "hevc",
    "libsvtav1",
    "av1",
    "libaom-av1",
    "auto",
    "h264_videotoolbox",
    "hevc_videotoolbox",
    "h264_nvenc",
    "hevc_nvenc",
    "h264_vaapi",
    "h264_qsv",
]

HARDWARE_CODECS = (
    "h264_videotoolbox",
    "hevc_videotoolbox",
    "h264_nvenc",
    "hevc_nvenc",
    "h264_vaapi",
    "h264_qsv",
)
"""What `auto` tries, in this order, before it settles for the default."""

_DEFAULT_CRF = {"h264": 21, "hevc": 26}
_DEFAULT_PRESET: dict[str, int | str] = {"h264": "ultrafast", "hevc": "ultrafast", "libsvtav1": 12, "libaom-av1": 8}


class RGBEncoderConfig(ConfigModel):
    """Encoder of colour images."""

    vcodec: VideoCodec = Field("h264", description="codec; `auto` takes a hardware encoder if there is one, else h264")
    pix_fmt: str = Field("yuv420p", description="pixel format of the file")
    g: int | None = Field(2, ge=1, description="largest distance between key frames, in frames")
    crf: float | None = Field(None, ge=0, description="quality, smaller is better; the codec's default if unset")
    preset: int | str | None = Field(None, description="speed against size; the fastest useful one if unset")
    fast_decode: int = Field(0, ge=0, le=2, description="favour decoding speed; 0 is off")
    video_backend: Literal["pyav"] = Field("pyav", description="library that encodes")
    extra_options: dict[str, Any] = Field(default_factory=dict, description="more options of the codec, added last")

    def resolved(self, available: frozenset[str]) -> "RGBEncoderConfig":
        """The same settings with codec, quality and preset decided.

        Args:
            available: names of the encoders the video library has and the machine can run.
        """
        codec: str = {"av1": "libsvtav1"}.get(self.vcodec, self.vcodec)
        if codec == "auto":
            codec = next((name for name in HARDWARE_CODECS if name in available), "h264")
        crf = self.crf if self.crf is not None else _DEFAULT_CRF.get(codec, 30)
        preset = self.preset if self.preset is not None else _DEFAULT_PRESET.get(codec)
        return self.model_copy(update={"vcodec": codec, "crf": crf, "preset": preset})

    def fitting(self, height: int, width: int) -> "RGBEncoderConfig":
        """The same resolved settings, with a pixel format in which the codec stores images of an odd size.

        H.264 and HEVC store one colour for two or four pixels, so of even sizes only; with one colour for each they
        take every size. AV1 takes them all.

        Args:
            height: rows of an image.
            width: columns of an image.
        """
        if self.vcodec not in ("h264", "hevc") or not (height % 2 or width % 2):
            return self
        return self.model_copy(update={"pix_fmt": self.pix_fmt.replace("420", "444").replace("422", "444")})

    def codec_options(self, threads: int) -> dict[str, str]:
        """The options for libav, of resolved settings.

        Args:
            threads: threads the encoder may use.
        """
        options: dict[str, Any] = {"g": self.g}
        match self.vcodec:
            case "libsvtav1":
                options |= {"crf": self.crf, "preset": self.preset}
                options["svtav1-params"] = f"fast-decode={self.fast_decode}:lp={threads}"
            case "h264" | "hevc":
                options |= {"crf": self.crf, "preset": self.preset, "threads": threads}
                options["tune"] = "fastdecode" if self.fast_decode else None
                # Without B-frames images leave in the order they came and a key frame is reached sooner.
                options["bf"] = 0
            case "libaom-av1":
                options |= {"crf": self.crf, "cpu-used": self.preset, "threads": threads, "row-mt": 1}
            case "h264_videotoolbox" | "hevc_videotoolbox":
                options["q:v"] = max(1, min(100, round(100 - 2 * (self.crf or 0))))
            case "h264_nvenc" | "hevc_nvenc":
                options |= {"rc": 0, "qp": self.crf, "preset": self.preset}
            case "h264_vaapi":
                options["qp"] = self.crf
            case _:
                options |= {"global_quality": self.crf, "preset": self.preset}
        named = {key: _number(value) for key, value in options.items() if value is not None}
        named = {**{key: str(value) for key, value in self.extra_options.items()}, **named}
        if self.vcodec == "hevc":
            named["x265-params"] = ":".join(filter(None, [named.get("x265-params"), "log-level=error"]))
        return named

    def info(self) -> dict[str, Any]:
        """The settings as the format records them in a feature's `info`."""
        return {
            "video.g": self.g,
            "video.crf": self.crf,
            "video.preset": self.preset,
            "video.fast_decode": self.fast_decode,
            "video.video_backend": self.video_backend,
            "video.extra_options": dict(self.extra_options),
        }


class DepthEncoderConfig(RGBEncoderConfig):
    """Encoder of depth images: 12-bit codes of the depth, stored without loss."""

    vcodec: VideoCodec = Field("hevc", description="codec; must keep 12 bits")
    pix_fmt: str = Field("gray12le", description="pixel format of the file")
    extra_options: dict[str, Any] = Field(
        default_factory=lambda: {"x265-params": "lossless=1"},
        description="more options of the codec, added last",
    )
    depth_min: float = Field(0.01, ge=0, description="depth of the smallest code, metres")
    depth_max: float = Field(10.0, gt=0, description="depth of the largest code, metres")
    shift: float = Field(3.5, description="added to the depth before the logarithm, metres")
    use_log: bool = Field(True, description="finer steps near the camera; otherwise steps of one size")

    def info(self) -> dict[str, Any]:
        """The settings as the format records them in a feature's `info`."""
        return {
            **super().info(),
            "video.depth_min": self.depth_min,
            "video.depth_max": self.depth_max,
            "video.shift": self.shift,
            "video.use_log": self.use_log,
        }


def _number(value: object) -> str:
    """A number as libav reads it: whole numbers without a decimal point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
