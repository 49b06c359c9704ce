"""Processor steps that work on tensors; `config` has their configurations, which are all that files hold of them."""
