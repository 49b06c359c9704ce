"""Put a recording and a policy on the Hub."""

from lerobot.policies.act.modeling_act import ACTPolicy

from lerobot.datasets import LeRobotDataset

dataset = LeRobotDataset("me/cubes")
dataset.push_to_hub(tags=["so101"], license="mit", private=True)

policy = ACTPolicy.from_pretrained("OUTPUT")
policy.push_to_hub("me/act_cubes", private=True)
