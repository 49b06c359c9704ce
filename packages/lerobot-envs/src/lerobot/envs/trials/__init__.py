"""Evaluation on a robot: `session` plays episodes, `trial` is one, `wishes` what a person may say, `tally` counts."""
