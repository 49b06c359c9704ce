"""TensorRT: `config` is the kind of file, `format` writes it, `model` is the ONNX it takes, `engine` what it makes."""
