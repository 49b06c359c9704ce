"""SmolVLA, a small vision-language-action model.

`config` has its settings, `sizes` those of the vision-language models there are, `backbone` the vision-language model
and the action expert beside it, `modeling` the whole network, `aloha` the conventions of one robot, `processors` what
stands before and behind it, `policy` how it learns and acts.
"""
