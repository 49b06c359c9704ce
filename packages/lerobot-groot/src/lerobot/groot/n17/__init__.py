"""GR00T N1.7: Qwen3-VL of `transformers` sees and reads, and an action head like that of N1.5 makes actions of it.

`config` has its settings and `step_configs` those of its processor steps; `sizes` the sizes of its networks, and
`published` what files of NVIDIA's layout say. `backbone` asks Qwen3-VL, `head` is the action head, `modeling` the whole
network, `policy` how it learns and acts. `groups` are the parts of states and actions that such files scale apart,
`packing`, `conversation` and `frames` what stands before the policy, `decoding` what stands behind it, and
`processors` puts them together.
"""
