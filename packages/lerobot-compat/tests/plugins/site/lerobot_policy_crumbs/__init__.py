"""A policy as others write them for huggingface/lerobot: one linear layer from state to a chunk of actions."""

from .configuration_crumbs import CrumbsConfig
from .modeling_crumbs import CrumbsPolicy
from .processor_crumbs import make_crumbs_pre_post_processors

__all__ = ["CrumbsConfig", "CrumbsPolicy", "make_crumbs_pre_post_processors"]
