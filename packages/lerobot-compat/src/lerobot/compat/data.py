"""Types that annotations of programs name."""

from typing import Any

PolicyAction = Any
"""An action of a policy: a tensor `(B, Da)`."""

EnvAction = Any
"""An action of an environment: an array `(Da,)`."""
