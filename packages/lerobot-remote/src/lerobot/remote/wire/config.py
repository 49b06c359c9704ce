"""What a user says about a connection: where it is, who may use it, and what protects it."""

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import ConfigModel
from lerobot.core.loopback import is_loopback

PORT = 8000
"""Port of openpi's policy server, and so of ours."""


class ListenOptions(ConfigModel):
    """Where a server listens, and to whom."""

    host: str = Field(
        default="127.0.0.1", description="Address to listen on; another than this computer's own asks for a token."
    )
    port: int = Field(default=PORT, ge=0, le=65535, description="Port to listen on; 0: any that is free.")
    token_file: Path | None = Field(
        default=None,
        description="File with the token that clients must show; without one only this computer is served.",
    )
    tls_cert: Path | None = Field(default=None, description="Certificate chain (PEM): connections are encrypted.")
    tls_key: Path | None = Field(default=None, description="Private key of the certificate (PEM).")
    max_message_mib: float = Field(default=64.0, gt=0, description="Longest message that is read, MiB.")

    @model_validator(mode="after")
    def _others_show_a_token(self) -> Self:
        if not is_loopback(self.host) and self.token_file is None:
            raise PydanticCustomError(
                "listen_token",
                "a token_file beside the host {host}, which other computers can reach",
                {"host": self.host},
            )
        if (self.tls_cert is None) != (self.tls_key is None):
            raise PydanticCustomError("listen_tls", "tls_cert and tls_key together")
        return self


class ConnectOptions(ConfigModel):
    """Where a server is, and how it is reached."""

    address: str = Field(description="host:port of `lerobot serve`, or ws://... or wss://... of any server.")
    token_file: Path | None = Field(default=None, description="File with the token that the server wants to see.")
    tls_ca: Path | None = Field(
        default=None,
        description="Certificate (PEM) to trust: the connection is encrypted and the server is who it says.",
    )
    connect_timeout_s: float = Field(default=10.0, gt=0, description="Seconds to wait for the server.")
    max_message_mib: float = Field(default=64.0, gt=0, description="Longest message that is read, MiB.")

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        scheme, _, rest = address.rpartition("://")
        if scheme not in {"", "ws", "wss"} or not rest:
            raise ValueError("host:port, ws://host:port or wss://host:port")
        return address

    @property
    def uri(self) -> str:
        """The address as a WebSocket's."""
        if "://" in self.address:
            return self.address
        place = self.address if ":" in self.address else f"{self.address}:{PORT}"
        return f"{'ws' if self.tls_ca is None else 'wss'}://{place}"
