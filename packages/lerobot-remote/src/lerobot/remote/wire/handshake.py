"""What both ends say of themselves before anything moves, and what must agree.

The server speaks first: what it serves, in full. A client that wants to use it answers with a digest of that, so that
both know the other means the same features, units and rates. Everything ours stands under one key, beside which an
openpi server's metadata has its place.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.registry import PLUGIN_API
from lerobot.core.types import FeatureSpec, as_features
from lerobot.remote.wire.errors import RefusedError, WireError
from lerobot.remote.wire.link import Link

WIRE_VERSION = 1
OURS = "lerobot"
"""Key of what is ours in a server's first message, and of the type of every later one."""
BEGIN, READY = "begin", "ready"

_FEATURES = TypeAdapter(dict[str, dict[str, FeatureSpec]])


@dataclass(frozen=True, slots=True)
class Description:
    """What a server serves.

    Attributes:
        kind: `"robot"`, `"camera"`, `"teleoperator"`, `"policy"` or `"env"`.
        name: of the device, policy or environment.
        features: features by what they are of: `"observation"`, `"action"`, `"feedback"`.
        facts: everything else that both ends must agree on: rates, the safe state, the hash of a policy's weights.
        wire: version of the wire.
        plugin_api: version of what plugins are.
    """

    kind: str
    name: str
    features: Mapping[str, Mapping[str, FeatureSpec]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    wire: int = WIRE_VERSION
    plugin_api: int = PLUGIN_API

    @property
    def digest(self) -> str:
        """Short hash of all of it; any difference gives another one."""
        text = json.dumps(self._plain(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def message(self) -> dict[str, Any]:
        """The server's first message."""
        return {OURS: self._plain()}

    def _plain(self) -> dict[str, Any]:
        features = {
            of: [{"key": key, **_plain_spec(spec)} for key, spec in as_features(specs).items()]
            for of, specs in self.features.items()
        }
        return {
            "wire": self.wire, "plugin_api": self.plugin_api, "kind": self.kind, "name": self.name,
            "features": features, "facts": dict(self.facts),
        }  # fmt: skip

    @classmethod
    def read(cls, message: Mapping[str, Any], kind: str, server: str) -> Self:
        """Read a server's first message, and check that it can be used.

        Args:
            message: what came.
            kind: of what is asked for.
            server: its name, for messages.

        Raises:
            WireError: it is no description.
            RefusedError: it serves another kind, or speaks another version.
        """
        said = message.get(OURS)
        if not isinstance(said, dict):
            raise WireError(f"{server} does not say what it serves", expected="a server of `lerobot serve`")
        for version, ours in (("wire", WIRE_VERSION), ("plugin_api", PLUGIN_API)):
            if said.get(version) != ours:
                raise RefusedError(
                    f"{server} has {version} {str(said.get(version))[:20]!r}, this end {ours}",
                    hint="Install the same release of lerobot-remote and lerobot-core at both ends.",
                )
        if said.get("kind") != kind:
            raise RefusedError(f"{server} serves a {str(said.get('kind'))[:20]}", expected=f"a {kind}")
        facts, name = said.get("facts"), said.get("name")
        if not isinstance(facts, dict) or not isinstance(name, str):
            raise WireError(f"{server} describes itself without name or facts")
        return cls(kind, name, _features(said.get("features"), server), facts)


def _plain_spec(spec: FeatureSpec) -> dict[str, Any]:
    """The same whether the numbers were written `1` or `1.0`, or are numpy's."""
    return {
        "dtype": spec.dtype,
        "shape": [int(size) for size in spec.shape],
        "names": None if spec.names is None else list(spec.names),
        "unit": spec.unit,
        "range": None if spec.range is None else [float(end) for end in spec.range],
        "max_velocity": None if spec.max_velocity is None else float(spec.max_velocity),
    }


def _features(said: Any, server: str) -> dict[str, dict[str, FeatureSpec]]:
    if not isinstance(said, dict):
        raise WireError(f"{server} names no features")
    features: dict[str, dict[str, Any]] = {}
    for of, specs in said.items():
        if not isinstance(specs, list) or not all(isinstance(spec, dict) and "key" in spec for spec in specs):
            raise WireError(f"{server} names features that are none: {str(of)[:40]}")
        features[of] = {spec["key"]: {name: spec[name] for name in spec if name != "key"} for spec in specs}
    try:
        return _FEATURES.validate_python(features)
    except (ValidationError, FeatureMismatchError, TypeError) as error:
        text = str(error).replace("\n", " ")[:200]
        raise WireError(f"{server} names features that are none: {text}") from error


def begin(link: Link, description: Description, *, within_s: float, **wishes: Any) -> dict[str, Any]:
    """Ask a server to begin, as a client that knows what it serves.

    Args:
        link: the open connection.
        description: what it said it serves.
        within_s: longest time to wait; a robot connects its motors and cameras meanwhile.
        **wishes: what else the server is asked for.

    Returns:
        Its answer.

    Raises:
        RefusedError: it refused, and says why.
        WireError: it answers something else, or not in time.
        DeviceConnectionError: the connection is gone.
    """
    ours = {OURS: BEGIN, "wire": WIRE_VERSION, "plugin_api": PLUGIN_API, "kind": description.kind}
    link.send({**ours, "digest": description.digest, **wishes})
    answer = link.receive(within_s)
    if answer is not None and isinstance(reason := answer.get("reason"), str):
        raise RefusedError(f"{link.name} ended before it began: {reason}")
    if answer is None or answer.get(OURS) != READY:
        said = "nothing" if answer is None else repr(answer.get(OURS))[:40]
        raise WireError(f"{link.name} answered {said} to the beginning", expected=f"{READY!r} within {within_s:g} s")
    return answer


def check_begin(message: Mapping[str, Any], description: Description) -> None:
    """Check what a client begins with.

    Raises:
        RefusedError: it is no beginning, or means something else than is served.
    """
    if message.get(OURS) != BEGIN:
        raise RefusedError(f"a client began with {str(message.get(OURS))[:40]!r}", expected=f"{BEGIN!r}")
    ours = {"wire": description.wire, "plugin_api": description.plugin_api, "kind": description.kind}
    for name, value in ours.items():
        if message.get(name) != value:
            raise RefusedError(f"the client has {name} {str(message.get(name))[:20]!r}, the server {value!r}")
    if message.get("digest") != description.digest:
        raise RefusedError(
            f"the client means other features, units or rates than this {description.kind} has now",
            hint="Connect again, so that it reads them anew.",
        )
