"""OpenVINO: `config` is the kind of file, `format` how it is written and run."""
