"""A robot as others write them for huggingface/lerobot: a lever and two slots that exist in this process only."""

from .config_toaster import BreadConfig, ToasterConfig
from .toaster import Toaster

__all__ = ["BreadConfig", "Toaster", "ToasterConfig"]
