"""What the Hub answers, as errors that say what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import constants, get_session
from huggingface_hub.errors import (  # type: ignore[attr-defined] # HTTPError, of whichever client it uses
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
    RevisionResolutionError,
)

from lerobot.core.errors import DatasetError

_PATIENCE_S = 10
"""Longest wait for a first answer."""


class HubError(DatasetError):
    """The Hub cannot be reached, or does not have or allow what was asked for."""


@contextmanager
def hub_errors(what: str) -> Iterator[None]:
    """Turn every failure of a transfer into one error.

    Args:
        what: what did not happen, the beginning of the message.

    Raises:
        HubError: something inside failed; names the cause.
    """
    try:
        yield
    except (HTTPError, HFValidationError, EntryNotFoundError, RevisionResolutionError, OSError) as error:
        text = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise HubError(f"{what}: {text}", hint=_hint(error)) from error


def reach_hub() -> None:
    """Ask the Hub once whether it is there, whatever it answers, before calls that ask five times in half a minute.

    Raises:
        HTTPError: it cannot be reached; `hub_errors` says so.
    """
    get_session().head(constants.ENDPOINT, timeout=_PATIENCE_S)


def _hint(error: Exception) -> str:
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set; unset it to use the Hub."
    if isinstance(error, GatedRepoError):
        return "Ask for access on the dataset's page, then log in: hf auth login"
    if isinstance(error, RepositoryNotFoundError):
        return "Check the name; for a private dataset log in first: hf auth login"
    if isinstance(error, RevisionNotFoundError):
        return "Leave the revision out to get the newest version."
    if isinstance(error, HfHubHTTPError) and error.response.status_code in {401, 403}:
        return "Log in with an account that may do this: hf auth login"
    return "Check the connection and try again: what was already transferred is kept."
