"""The import paths of huggingface/lerobot.

`names/*.toml` say which of its names are which of ours, `table` reads them, `imports` answers Python with them. The
other modules hold what has another shape here than there: `devices` and `choice` the base classes and configurations
of its devices, `gated` its robots behind the safety gate.
"""
