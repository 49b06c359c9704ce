"""Training of policies.

`command` runs it: `assembly` builds a run from its configuration, `loop` drives a `learner` through `batches` of
`data`, `observer` reports, validates and saves `checkpoints`, `resume` goes on from one.
"""

from lerobot.core.deprecation import keep_moved_modules

keep_moved_modules(
    __name__,
    {
        "averaging": "lerobot.training.learner.average",
        "building": "lerobot.training.assembly",
        "measuring": "lerobot.training.meter",
        "observing": "lerobot.training.observer",
        "publishing": "lerobot.training.publication",
    },
)
