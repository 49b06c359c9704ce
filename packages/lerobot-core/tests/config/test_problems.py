"""What a wrong command line or file is answered with: every problem at once, one line each, in plain words."""

import contextlib
import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lerobot.core.config import CommandConfig, Positional, load
from lerobot.core.errors import ConfigError

SNAPSHOT = Path(__file__).with_name("problems.txt")
ARM = "--robot.type=arm --robot.port=p"
CASES = [
    "--robot.type=amr",
    "--robot.type=so101_follower",
    "--robot.port=p",
    "--robot.typ=arm",
    "--robot.type=arm",
    "--robot.type=missing_module:Config",
    f"{ARM} --robot.prot=1",
    f"{ARM} --fsp=30",
    f"{ARM} --xyzzy=1",
    f"{ARM} --dataset.num_ep=3 --dataset.repo_id=a",
    f"{ARM} --dataset.tags=a",
    f"{ARM} --steps=29.97 --fps=fast --autoplay=maybe --lr=",
    f"{ARM} --fps=0 --steps=-1",
    f"{ARM} --fps",
    f"{ARM} --episodes=[a,1]",
    f"{ARM} --episodes=[1",
    f"{ARM} --rename_map=a",
    f"{ARM} --robot.cameras=front",
    f"{ARM} --robot.cameras={{front:{{index_or_path:0}}}}",
    f"{ARM} --robot.cameras={{front:{{type:cam,index_or_path:0,rotation:45}}}}",
    f"{ARM} --robot.cameras={{front:{{type:cam,index_or_path:0,width:640}}}}",
    f"{ARM} --robot.cameras={{front:{{type:cma,index_or_path:0}}}}",
    f"{ARM} --robot.max_relative_target={{a:b}}",
    f"{ARM} --robot.use_degrees=2",
    f"{ARM} --dataset=missing.yaml",
    f"{ARM} --dataset=word",
    f"{ARM} --config_path=missing.yaml",
    f"{ARM} --config_path=run.txt",
    f"{ARM} --operation.type=merg",
    f"{ARM} --operation.parts=1",
    f"{ARM} word another",
    "",
]


def answer(resolve: Callable[..., Any], line: str) -> str:
    # A space after the colon makes it YAML; the cases are split at spaces.
    flags = [flag.replace(":", ": ") if "={" in flag else flag for flag in line.split()]
    model = resolve.__globals__["EverythingConfig"]
    try:
        load(model, flags)
    except ConfigError as error:
        return "\n".join(f"  {problem}" for problem in error.problems)
    return "  accepted"


def test_error_texts_are_as_pinned(
    resolve: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compare with `problems.txt`; after a deliberate change, delete the file and run once more to write it anew."""
    monkeypatch.chdir(tmp_path)
    text = "".join(f"$ {line}\n{answer(resolve, line)}\n" for line in CASES)
    if not SNAPSHOT.exists():
        SNAPSHOT.write_text(text, encoding="utf-8")
        pytest.fail("the snapshot was written anew; review it")
    assert text == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.yaml", "robot: {type: arm, port: p}\nfps: [\n", "a.yaml:3: "),
        ("b.yaml", "fps: 1\nfps: 2\n", "b.yaml:2: key 'fps' is given twice"),
        ("c.json", '{"robot": {"type": "arm",}}', "c.json:1: "),
        ("d.toml", "fps = \n", "d.toml:1: "),
        ("e.yaml", "- 1\n", "'e.yaml' holds no mapping"),
        ("f.yaml", "a: &a\n  b: *a\n", "nested too deeply"),
        ("g.yaml", "? [a]\n: 1\n", "a key is not a plain word"),
        ("h.yaml", "fps: \x01\n", "special characters are not allowed"),
    ],
)
def test_an_unreadable_file_is_named_with_its_line(
    problems: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text)
    lines = problems(f"--config_path={name}")
    assert len(lines) == 1
    assert lines[0].startswith(f"--config_path: got '{name}', expected a YAML, JSON or TOML file (")
    assert line in lines[0]


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("a.yaml", "steps: 1\nrobot:\n  type: arm\n  port: p\n  usedegrees: 1\n", "a.yaml:5 robot.usedegrees"),
        (
            "b.json",
            '{\n\t"steps": 1,\n\t"robot": {"type": "arm",\n\t\t"usedegrees": 1, "port": "p"}}',
            "b.json:4 robot.usedegrees",
        ),
        ("c.toml", 'steps = 1\n[robot]\ntype = "arm"\nport = "p"\nusedegrees = 1\n', "c.toml:5 robot.usedegrees"),
        ("d.toml", 'steps = 1\nrobot = {type = "arm", port = "p", usedegrees = 1}\n', "d.toml:2 robot.usedegrees"),
    ],
)
def test_a_wrong_key_is_named_with_its_line(
    problems: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    text: str,
    where: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text)
    lines = problems(f"--config_path={name}", "--robot.id=x")
    assert [line.partition(":  ")[0].split(": got")[0] for line in lines] == [where]
    assert "did you mean use_degrees?" in lines[0]


def test_a_wrong_value_in_a_section_file_is_named_with_its_line(
    problems: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("arm.yaml").write_text("type: arm\nport: p\nuse_degrees: perhaps\n")
    assert problems("--robot=arm.yaml") == [
        "arm.yaml:3 robot.use_degrees: got 'perhaps', expected true or false",
    ]


def test_a_variable_is_named(problems: Callable[..., list[str]]) -> None:
    assert problems(environ={"LEROBOT_FPS": "fast"}) == ["LEROBOT_FPS: got 'fast', expected a number > 0"]


GOOD = {
    "--robot.type": "arm",
    "--robot.port": "/dev/ttyACM0",
    "--robot.cameras": "{front: {type: cam, index_or_path: 0, width: 640, height: 480, fps: 30}}",
    "--robot.cameras.front.fps": "15",
    "--dataset.repo_id": "user/data",
    "--dataset.encoder.crf": "23",
    "--fps": "30",
    "--steps": "100",
    "--lr": "1e-4",
    "--autoplay": "true",
    "--rename_map": "{a: b}",
    "--episodes": "[0, 1]",
}
"""A correct command line; text fields other than port and repo_id are left out, as text has no wrong value."""
WORDS = {"--robot.type": "arm", "--robot.port": "port", "--dataset.repo_id": "repo_id"}


def mutations(seed: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Damage a correct line in one place: yields the name that the answer has to contain, and the line."""
    chance = random.Random(seed)
    flags = list(GOOD)
    for flag in itertools.cycle(flags):
        line = dict(GOOD)
        last = flag.rpartition(".")[2].removeprefix("--")
        kind = chance.choice(("misspell", "value", "remove", "nest", "break"))
        if kind == "misspell":
            place = chance.randrange(len(last))
            wrong = last[:place] + chance.choice("xqz") + last[place + chance.randint(0, 1) :]
            line = {flag[: -len(last)] + wrong if name == flag else name: value for name, value in GOOD.items()}
            yield wrong, line
        elif kind == "remove" and flag in ("--robot.type", "--robot.port", "--dataset.repo_id"):
            del line[flag]
            yield flag, line
        elif kind == "nest" and flag != "--rename_map":  # a mapping with free keys has nothing deeper to refuse
            line[f"{flag}.deeper"] = "1"
            yield last, line
        elif kind == "break" and flag not in WORDS:
            line[flag] = chance.choice(("{a: [", "}{", "'", "\x00", "[" * 80, "&a [*a]", "!!python/object:os.system x"))
            yield last, line
        elif kind == "value" and flag not in ("--robot.port", "--dataset.repo_id"):
            line[flag] = chance.choice(("", "??", "{a: b: c}", "[[]]", "one two", "\N{SNOWMAN}", "-"))
            yield last, line


def test_two_hundred_damaged_lines_name_the_offender(resolve: Callable[..., Any], tmp_path: Path) -> None:
    model = resolve.__globals__["EverythingConfig"]
    for number, (name, line) in enumerate(itertools.islice(mutations(seed=1), 200)):
        flags = [f"{flag}={value}" for flag, value in line.items()]
        with pytest.raises(ConfigError) as caught:
            load(model, flags)
        text = str(caught.value)
        assert name in text, (number, flags, text)
        assert len(text.splitlines()) == len(caught.value.problems), text
        assert "Input should" not in text


def test_two_hundred_damaged_files_name_the_offender(resolve: Callable[..., Any], tmp_path: Path) -> None:
    """The same damage in a YAML file: the answer names the file, and the key where the text is readable."""
    model = resolve.__globals__["EverythingConfig"]
    file = tmp_path / "damaged.yaml"
    good = _file_part(GOOD)
    # Nothing after a colon is null, which some fields accept.
    damaged = ((name, _file_part(line)) for name, line in mutations(seed=2) if "" not in line.values())
    for name, line in itertools.islice(((n, part) for n, part in damaged if part != good), 200):
        text = "\n".join(_yaml_lines(_nested(line))) + "\n"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load(model, [f"--config_path={file}"])
        answer_ = str(caught.value)
        assert "damaged.yaml:" in answer_ or "it is required" in answer_ or "--robot.type" in answer_, (text, answer_)
        assert name in answer_ or "expected a YAML, JSON or TOML file" in answer_, (text, answer_)
        assert len(answer_.splitlines()) == len(caught.value.problems), answer_


def test_a_file_that_cannot_be_read_is_the_only_problem(problems: Callable[..., list[str]]) -> None:
    assert len(problems("--config_path=missing.yaml")) == 1
    assert [line.partition(":")[0] for line in problems("--config_path=missing.yaml", "--fps=fast")] == [
        "--config_path",
        "--fps",
    ]


class CopyConfig(CommandConfig):
    source: Annotated[str, Positional()]
    place: Annotated[str, Positional()]


def test_a_missing_word_is_called_as_help_calls_it() -> None:
    with pytest.raises(ConfigError) as caught:
        load(CopyConfig, [])
    assert [problem.where for problem in caught.value.problems] == ["SOURCE", "PLACE"]


@pytest.mark.parametrize(
    ("typed", "meant"), [("--hlep", "--help"), ("--print_confg", "--print_config"), ("--config=x", "--config_path")]
)
def test_flags_of_every_command_are_suggested_too(problems: Callable[..., list[str]], typed: str, meant: str) -> None:
    assert any(f"did you mean {meant}?" in line for line in problems(typed))


def test_files_that_are_made_to_exhaust_the_machine_are_refused(
    problems: Callable[..., list[str]], tmp_path: Path
) -> None:
    names = "abcdefghij"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{name}: &{name} [{', '.join([f'*{last}'] * 10)}]" for last, name in itertools.pairwise(names)]
    (tmp_path / "aliases.yaml").write_text("\n".join(lines))
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "deep.toml").write_text(f"a = {'[' * 100_000}")
    (tmp_path / "deep.yaml").write_text(f"a: {'[' * 5_000}")
    assert "its aliases stand for too many values" in problems(f"--config_path={tmp_path}/aliases.yaml")[0]
    for suffix in ("json", "toml", "yaml"):
        assert "nested too deeply" in problems(f"--config_path={tmp_path}/deep.{suffix}")[0]


def _file_part(line: dict[str, str]) -> dict[str, str]:
    """What a file can hold of a line: not the parts of a whole that it gives already."""
    return {
        flag: value
        for flag, value in line.items()
        if not flag.startswith("--robot.cameras.") and not flag.endswith(".deeper")
    }


def _nested(line: dict[str, str]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for flag, value in line.items():
        *sections, key = flag.removeprefix("--").split(".")
        place = data
        for section in sections:
            place = place.setdefault(section, {})
        place[key] = value
    return data


def _yaml_lines(data: dict[str, Any], depth: int = 0) -> list[str]:
    lines = []
    for key, value in data.items():
        if isinstance(value, dict):
            lines += [f"{'  ' * depth}{key}:", *_yaml_lines(value, depth + 1)]
        else:
            lines.append(f"{'  ' * depth}{key}: {value}")
    return lines


def test_a_check_of_the_whole_waits_for_its_parts(problems: Callable[..., list[str]]) -> None:
    """A robot's cameras are checked together; a wrong robot field is reported alone, without a guess about the rest."""
    camera = "--robot.cameras={a: {type: cam, index_or_path: 0}}"
    assert problems("--robot.type=arm", "--robot.port=p", camera)[0].startswith("--robot: expected 'width'")
    assert problems("--robot.type=arm", "--robot.port=p", camera, "--robot.use_degrees=2") == [
        "--robot.use_degrees: got '2', expected true or false"
    ]


TOKENS = st.one_of(
    st.sampled_from([f"{flag}={value}" for flag, value in GOOD.items()]),
    st.builds("{}={}".format, st.sampled_from([*GOOD, "--robot", "--policy", "--operation"]), st.text(max_size=12)),
    st.builds("--{}".format, st.text(alphabet="robtypecams.-_=", max_size=12)),
    st.text(max_size=6),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flags=st.lists(TOKENS, max_size=8))
def test_every_line_ends_in_a_configuration_or_problems(resolve: Callable[..., Any], flags: list[str]) -> None:
    model = resolve.__globals__["EverythingConfig"]
    with contextlib.suppress(ConfigError):
        assert isinstance(load(model, flags).config, model)


@pytest.mark.parametrize(
    "flag",
    [
        "--robot=\0.yaml",
        "--robot=~nobody-of-this-name/x.yaml",
        "--dataset=" + "[" * 5000,
        "--config_path=\0.json",
        "--config_path=.",
        "--fps=" + "9" * 5000,
        "--steps=" + "9" * 5000,
        "--robot.calibration_dir=~nobody-of-this-name/x",
        "--robot.calibration_dir=\0",
    ],
)
def test_extreme_values_are_problems_too(problems: Callable[..., list[str]], flag: str) -> None:
    needed = () if flag.startswith("--robot=") else ("--robot.type=arm", "--robot.port=p")
    assert problems(*needed, flag)[0].startswith(flag.partition("=")[0])
