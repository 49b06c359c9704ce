"""X-VLA, a vision-language-action model for many robots, each with prompts and projections that are learned.

`config` has its settings, `sizes` those of its backbone, `action_spaces` what the numbers of an action mean, `davit`,
`bart` and `florence` the backbone, `transformer` the network that finds actions, `modeling` the whole, `earlier_names`
what weights were called before, `steps` and `processors` what stands before and behind it, `optimizer` how its parts
learn at different rates, `policy` how it learns and acts.
"""
