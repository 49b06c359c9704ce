"""Pi0 and its relatives, vision-language-action models on PaliGemma.

`config` has their settings, `sizes` those of the networks, `paligemma` the vision-language model, `expert` the action
expert that reads beside it, `modeling` the whole network, `processors` what stands before and behind it, `policy` how
it learns and acts. Modules that begin with `pi05_` say what is other in Pi0.5; `prompt` writes the state in words.
"""
