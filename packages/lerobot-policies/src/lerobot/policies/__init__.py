"""What policies share.

`config` holds the fields of every policy, `features` what flows in and out, `backbones` the names of networks for
images, which are in `networks`; all but the last are light. `policy` is the base class, `assembly` builds or loads
one together with its processors, `player` lets it act on a robot, `checkpoint` reads and writes its files,
`processing` has the processor steps that work on tensors, `vla` has what vision-language-action models share, `rtc`
lets a chunk continue the one before, `chunks` and `windowed` turn chunks into single actions, `preflight` checks that
a policy, a dataset, a robot and an environment fit each other before anything runs, `export` writes files that run
without this software, of the kinds in `formats`.
"""

from lerobot.core.deprecation import keep_moved_modules

keep_moved_modules(
    __name__,
    {
        "acting": "lerobot.policies.chunks",
        "adapters": "lerobot.policies.checkpoint.adapters",
        "commands.rollout": "lerobot.rollout.commands.rollout",
        "describing": "lerobot.policies.preflight.sources",
        "episodic": "lerobot.rollout.strategies.episodic",
        "exporting": "lerobot.policies.export",
        "exporting.description": "lerobot.policies.export.description",
        "exporting.export": "lerobot.policies.export.files",
        "exporting.parity": "lerobot.policies.export.parity",
        "exporting.program": "lerobot.policies.export.program",
        "legacy": "lerobot.policies.checkpoint.legacy",
        "making": "lerobot.policies.assembly",
        "observations": "lerobot.policies.processing.observations",
        "pipelines": "lerobot.policies.processing.pipelines",
        "processing.batching": "lerobot.policies.processing.batch",
        "processing.pictures": "lerobot.policies.processing.images",
        "rollout": "lerobot.rollout.command",
        "rtc.config": "lerobot.core.config.rtc",
        "saved_tensors": "lerobot.policies.checkpoint.header",
        "source": "lerobot.rollout.source",
        "weights": "lerobot.policies.checkpoint.weights",
    },
)
