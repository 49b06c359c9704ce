"""Exported policies, run by ONNX Runtime alone.

`config` is the policy `exported`, `description` what `policy.json` says, `session` the file that computes, `fit`
whether a robot or environment is the one the policy was exported for, `chunks` one action a tick out of chunks, and
`policy` puts them together.
"""
