"""What may come from a page and from a command; everything else ends the connection."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
Share: TypeAlias = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Page: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{8,64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Hello(_Strict):
    """The first message of a page: its id, which a tab keeps as it goes from page to page."""

    type: Literal["hello"]
    page: Page


class Alive(_Strict):
    """The answer to a ping."""

    type: Literal["alive"]
    n: int = Field(ge=0, lt=1 << 53)


class StopNow(_Strict):
    """Stop everything that moves."""

    type: Literal["stop"]
    reason: str = Field(default="", max_length=200)


class Act(_Strict):
    """Somebody wants to control from this page, or lets robots move again."""

    type: Literal["take_control", "release"]


class Jog(_Strict):
    """How fast keys are to move, and when it was said on the page's clock."""

    type: Literal["jog"]
    run: Name
    keys: dict[Name, Share] = Field(max_length=64)
    t: float = Field(allow_inf_nan=False)


class Word(_Strict):
    """A word for the control file of a run."""

    type: Literal["word"]
    run: Name
    word: str = Field(pattern=r"^[a-z_]{1,40}$")


class Watch(_Strict):
    """What the page shows of a run; cameras null are all, and a run that is null is none."""

    type: Literal["watch"]
    run: Name | None
    cameras: list[Name] | None = Field(default=None, max_length=32)
    width: int = Field(default=640, ge=16, le=4096)


FromPage: TypeAlias = Hello | Alive | StopNow | Act | Jog | Word | Watch
_page: TypeAdapter[FromPage] = TypeAdapter(Annotated[FromPage, Field(discriminator="type")])


def from_page(text: str) -> FromPage:
    """Read a message of a page.

    Raises:
        ValueError: it is none.
    """
    return _page.validate_json(text)


class CommandHello(_Strict):
    """The first message of a command."""

    type: Literal["hello"]
    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
    proof: Annotated[str, Field(max_length=200)]
    nonce: Annotated[str, Field(max_length=200)]


class Facts(BaseModel):
    """What a command is."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: Literal["facts"]
    pid: int
    command: Name | None = None
    robot: Name | None = None
    jog: list[Name] = Field(default=[], max_length=64)
    episode: dict[str, Any] | None = None


class Told(BaseModel):
    """Anything that is handed on to pages."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: Literal[
        "tick", "calibration", "episode_start", "episode_end", "metrics", "evaluation", "checkpoint", "run_end"
    ]  # fmt: skip


FromCommand: TypeAlias = Facts | Told
_command: TypeAdapter[FromCommand] = TypeAdapter(Annotated[FromCommand, Field(discriminator="type")])


def from_command(payload: bytes) -> FromCommand:
    """Read a message of a command.

    Raises:
        ValueError: it is none.
    """
    return _command.validate_json(payload)


class PictureHeader(BaseModel):
    """What stands before a JPEG."""

    run: Name
    camera: Name
    age_s: float
    stamp: float
