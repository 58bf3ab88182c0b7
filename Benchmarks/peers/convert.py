"""convert.py FILE.gguf FOLDER: the model in Hugging Face's format, dequantised to fp32."""
import os
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.quantization_config import GgufConfig

folder, name = os.path.split(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(
    folder, gguf_file=name, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True))
model.hf_quantizer = None
model.is_quantized = False
if hasattr(model.config, "quantization_config"):
    del model.config.quantization_config
AutoTokenizer.from_pretrained(folder, gguf_file=name).save_pretrained(sys.argv[2])
model.save_pretrained(sys.argv[2])
