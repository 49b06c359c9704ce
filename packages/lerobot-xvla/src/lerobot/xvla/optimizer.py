"""AdamW with different rates for the parts of a vision-language-action model."""

from torch import nn
from torch.optim import AdamW

from lerobot.policies.devices import has_fused_steps
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.xvla.config import XVLAAdamWConfig

VLM_SCALE = 0.1


def xvla_adamw(config: XVLAAdamWConfig, *, policy: PreTrainedPolicy) -> AdamW:
    """AdamW in groups by the names of parameters: with "vlm", with "soft_prompt", and others.

    Source:
        Zheng et al. 2025, arXiv:2510.10274; groups and scales as in huggingface/lerobot.
    """
    groups: dict[str, list[nn.Parameter]] = {"vlm": [], "soft_prompts": [], "other": []}
    for name, parameter in policy.named_parameters():
        if parameter.requires_grad:
            kind = "vlm" if "vlm" in name.lower() else "soft_prompts" if "soft_prompt" in name.lower() else "other"
            groups[kind].append(parameter)
    prompts = config.soft_prompt_warmup_lr_scale
    scales = {"vlm": VLM_SCALE, "soft_prompts": config.soft_prompt_lr_scale if prompts is None else prompts}
    decays = {"vlm": VLM_SCALE}
    return AdamW(
        [
            {
                "params": parameters,
                "lr": config.lr * scales.get(kind, 1.0),
                "weight_decay": config.weight_decay * decays.get(kind, 1.0),
                "name": kind,
            }
            for kind, parameters in groups.items()
            if parameters
        ],
        betas=config.betas,
        eps=config.eps,
        fused=has_fused_steps(policy),
    )
