"""The one table of plugin kinds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of plugin.

    Attributes:
        name: singular, as in error texts and `PluginConfig.kind`.
        group: entry-point group.
        config_base: class every entry point of the group must subclass, `"module:Class"`; empty for objects that are
            not configuration classes.
    """

    name: str
    group: str
    config_base: str


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("robot", "lerobot.robots", "lerobot.core.config.base:RobotConfig"),
        Kind("teleoperator", "lerobot.teleoperators", "lerobot.core.config.base:TeleoperatorConfig"),
        Kind("camera", "lerobot.cameras", "lerobot.core.config.base:CameraConfig"),
        Kind("policy", "lerobot.policies", "lerobot.core.config.base:PolicyConfig"),
        Kind("env", "lerobot.envs", "lerobot.core.config.base:EnvConfig"),
        Kind("arm_model", "lerobot.arm_models", "lerobot.core.safety.config:ArmModelConfig"),
        Kind("processor", "lerobot.processors", "lerobot.core.config.base:ProcessorStepConfig"),
        Kind("saved_policy", "lerobot.saved_policies", ""),
        Kind("served_policy", "lerobot.served_policies", "lerobot.core.config.policies:ServedPolicyConfig"),
        Kind("algorithm", "lerobot.algorithms", "lerobot.core.config.base:PluginConfig"),
        Kind("reward_model", "lerobot.reward_models", "lerobot.core.config.judges:RewardModelConfig"),
        Kind("optimizer", "lerobot.optimizers", "lerobot.core.config.base:OptimizerConfig"),
        Kind("scheduler", "lerobot.schedulers", "lerobot.core.config.base:SchedulerConfig"),
        Kind("strategy", "lerobot.strategies", "lerobot.core.config.base:PluginConfig"),
        Kind("success_detector", "lerobot.success_detectors", "lerobot.core.config.judges:SuccessDetectorConfig"),
        Kind("executor", "lerobot.executors", "lerobot.core.config.base:PluginConfig"),
        Kind("worker", "lerobot.workers", ""),
        Kind("command", "lerobot.commands", "lerobot.core.config.base:CommandConfig"),
        # Names that commands had in huggingface/lerobot: they run, and are not listed.
        Kind("earlier_command", "lerobot.earlier_commands", "lerobot.core.config.base:CommandConfig"),
        Kind("dataset_format", "lerobot.dataset_formats", "lerobot.core.config.base:PluginConfig"),
        Kind("dataset_edit", "lerobot.dataset_edits", ""),
        Kind("export_format", "lerobot.export_formats", "lerobot.core.config.base:PluginConfig"),
        Kind("template", "lerobot.templates", ""),
        Kind("hooks", "lerobot.hooks", ""),
        Kind("virtual_arm", "lerobot.virtual_arms", ""),
        Kind("finder", "lerobot.finders", ""),
    )
}


def kind_of(name: str) -> Kind:
    """Look a kind up by its singular name or by its group (`"robot"`, `"robots"`, `"lerobot.robots"`).

    Raises:
        KeyError: there is no such kind; the message lists them.
    """
    for kind in KINDS.values():
        if name in {kind.name, kind.group, kind.group.removeprefix("lerobot.")}:
            return kind
    raise KeyError(f"no plugin kind is named {name!r}; kinds: {', '.join(KINDS)}")
