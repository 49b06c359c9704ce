"""A contract for a log without one, as text: it can be used as it is, and corrected."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace

from lerobot.core.errors import DatasetError
from lerobot.core.words import counted
from lerobot.mcap.contract import IMAGES, TASK
from lerobot.mcap.inspection.role import ACTION, STATE, Role, role_of
from lerobot.mcap.inspection.survey import TopicSurvey

_FASTEST = 50
"""Frames per second where no camera says how many."""
_SPARSE_S = 0.5
"""Messages that come less often are sent when something changes, and hold until the next."""
_STARTS, _STOPS = ("start", "begin"), ("stop", "end", "finish")


def propose(topics: Sequence[TopicSurvey]) -> str:
    """A contract, with what is known of each topic as comments.

    Args:
        topics: the topics of the log.

    Raises:
        DatasetError: no topic holds images or numbers that can be read.
    """
    found = {topic.topic.name: role_of(topic) for topic in topics}
    events = next((lines for topic in topics if (lines := _events(topic))), None)
    told = bool(events) and "{task}" in str(events)
    roles = _named([role for role in found.values() if isinstance(role, Role) and not (told and role.feature == TASK)])
    if not any(role.feature != TASK for role in roles):
        raise DatasetError(
            "no topic becomes a feature: " + ("; ".join(f"{name}: {why}" for name, why in found.items()) or "none")
        )
    lines = ["# What the log holds; times are by the clock that is named.", *_table(topics), "#"]
    left = {name: why for name, why in found.items() if isinstance(why, str) and not (events and name in events[0])}
    lines += [f"# Not taken: {name} ({why})" for name, why in left.items()]
    lines += ["version: 1", f"fps: {_rate(roles)}"]
    if not events and not any(role.feature == TASK for role in roles):
        lines.append("task: demonstration  # say in words what is done")
    lines += events or ["episodes: {by: file}  # each log is an episode"]
    lines += ["grid: fixed  # or the name of a stream: each message of it is a frame"]
    lines += ["on_gap: cut  # a frame that lacks a message: cut the episode there, drop it, or refuse the log"]
    lines += ["stamps: false  # true keeps the time of every message beside its value", "streams:"]
    lines += [line for role in roles for line in _stream(role)]
    lines.append("features:")
    for feature in dict.fromkeys(role.feature for role in roles):
        lines.append(f"  {feature}:")
        lines += [line for role in roles if role.feature == feature for line in _part(role)]
    if not any(role.feature == ACTION for role in roles):
        lines.append("# No topic looks like commands: nothing becomes the action.")
    return "\n".join(lines) + "\n"


def _named(roles: list[Role]) -> list[Role]:
    """Roles whose streams, and whose cameras, have names of their own."""
    taken: set[str] = set()
    named = []
    for role in roles:
        name, number = role.stream, 2
        while name in taken:
            name, number = f"{role.stream}_{number}", number + 1
        taken.add(name)
        feature = IMAGES + name if role.feature.startswith(IMAGES) else role.feature
        named.append(replace(role, stream=name, feature=feature))
    return named


def _table(topics: Sequence[TopicSurvey]) -> list[str]:
    rows = [("topic", "type", "messages", "rate", "jitter p99", "longest gap", "clock", "recorded after")]
    for topic in topics:
        several = topic.count > 1
        rows.append(
            (
                topic.topic.name,
                topic.topic.type or topic.topic.encoding,
                f"{topic.count}",
                f"{1 / topic.interval_s:.4g} Hz" if topic.interval_s else "-",
                f"{topic.jitter_ms:.3g} ms" if several else "-",
                f"{topic.longest_gap_s:.3g} s" if several else "-",
                topic.clock,
                "-" if topic.delay_ms is None else f"{topic.delay_ms:.3g} ms",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["#   " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows]
    problems = [f"#   {topic.topic.name}: {topic.problem.splitlines()[0]}" for topic in topics if topic.problem]
    return [*(line.rstrip() for line in lines), *problems]


def _rate(roles: Sequence[Role]) -> int:
    """The fastest camera's rate; without one that of the state, up to a limit."""
    cameras = [role.topic.interval_s for role in roles if role.feature.startswith(IMAGES) and role.topic.interval_s]
    others = [role.topic.interval_s for role in roles if role.feature == STATE and role.topic.interval_s]
    if cameras:
        return max(round(1 / min(cameras)), 1)
    return max(min(round(1 / min(others)), _FASTEST), 1) if others else 10


def _stream(role: Role) -> list[str]:
    topic = role.topic
    interval = topic.interval_s
    sparse = role.align == "hold" and (interval > _SPARSE_S or not interval)
    # The nearest message lies half an interval away, or one where a message is lost; the last one up to a whole one.
    share = 2 if role.align == "hold" else 1
    tolerance = ".inf" if sparse or role.feature == TASK else str(max(math.ceil(interval * 1000 * share), 1))
    fields = [f"topic: {json.dumps(topic.topic.name)}", f"clock: {topic.clock}", f"align: {role.align}"]
    if topic.topic.type:
        fields.insert(1, f"type: {json.dumps(topic.topic.type)}")
    return [f"  {_key(role.stream)}: {{{', '.join(fields)}, tolerance_ms: {tolerance}}}"]


def _part(role: Role) -> list[str]:
    fields = [f"stream: {_key(role.stream)}"]
    if role.field:
        fields.append(f"field: {json.dumps(role.field) if '[' in role.field else role.field}")
    comment = ""
    if role.names:
        fields.append(f"names: {json.dumps(role.names)}")
    elif role.size > 1:
        comment = f"  # the log names none of the {role.size} values: add names: [...] in their order"
    elif role.size:
        fields.append(f"names: [{_key(role.stream)}]")
    return [f"    - {{{', '.join(fields)}}}{comment}"]


def _events(topic: TopicSurvey) -> list[str] | None:
    """Episodes by a topic whose texts begin and end them."""
    start = next((text for text in topic.texts if _has(text, _STARTS)), None)
    stop = next((text for text in topic.texts if _has(text, _STOPS) and not _has(text, _STARTS)), None)
    if start is None or stop is None:
        return None
    marks = [("start", start, "task"), ("stop", stop, "outcome")]
    fields = [f"topic: {json.dumps(topic.topic.name)}", f"clock: {topic.clock}"]
    for name, text, rest in marks:
        head, colon, _ = text.partition(":")
        fields.append(f"{name}: {json.dumps(f'{head}:{{{rest}}}' if colon else text, ensure_ascii=False)}")
    lines = [f"episodes: {{by: event, {', '.join(fields)}}}  # {counted(len(topic.texts), 'text')}"]
    if ":" not in start:
        lines.append("task: demonstration  # say in words what is done")
    return lines


def _has(text: str, words: tuple[str, ...]) -> bool:
    head = text.partition(":")[0].lower()
    return any(word in head for word in words)


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)
