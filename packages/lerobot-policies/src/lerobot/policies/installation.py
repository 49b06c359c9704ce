"""What policies find on this machine."""

from collections.abc import Callable

from lerobot.core.hooks import hookimpl
from lerobot.core.installation import Fact


@hookimpl
def examine_installation(tell: Callable[[Fact], None]) -> None:
    """Which accelerator torch can use."""
    import torch

    from lerobot.policies.devices import best_device

    device = best_device()
    if device.type == "cuda":
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        tell(Fact("accelerator", f"{', '.join(names)} (torch {torch.__version__})"))
    elif device.type == "cpu":
        built = f", built for CUDA {torch.version.cuda}" if torch.version.cuda else ""
        advice = "" if not built else "If there is an NVIDIA GPU here, its driver is missing or too old for this CUDA."
        tell(Fact("accelerator", f"none: torch {torch.__version__}{built}, runs on the CPU", advice))
    else:
        tell(Fact("accelerator", f"{device.type} (torch {torch.__version__})"))
