// Tensors, kernels, layers, architectures, tokenizers, checkpoint formats, sampling, training.
