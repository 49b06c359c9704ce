"""GR00T N1.5, a vision-language-action model for many kinds of robots; N1.7 is in `n17`.

`config` has its settings and `step_configs` those of its processor steps; `sizes` the sizes of its networks, which
`published` reads from files. `eagle` is the vision-language model, `transformer` and `embodiments` the parts of the
action head, `head` that head, `modeling` the whole network. `packing`, `chat` and `eagle_inputs` are what stands before
and behind it, which `processors` puts together. `base` is how both versions learn and act, with `overlap` where a chunk
continues another; `policy` is what is particular to N1.5.
"""
