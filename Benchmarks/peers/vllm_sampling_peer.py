"""vllm_sampling_peer.py MODEL ROWS JOBS [TOKENS]: the quickstart's samples by vLLM in bf16, from a Hugging Face directory.

JOBS is a JSON list of [stage, prompts, whether they stand under the best class, samples of each]; prompts are those in ROWS,
`valid` or the number of an iteration. Prints the seconds of loading and of each stage, and how many tokens were drawn.
"""
import json
import sys
import time

import quickstart as q
from vllm import LLM, SamplingParams


def main():
    path, rows, jobs = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    tokens = int(sys.argv[4]) if len(sys.argv) > 4 else 12
    start = time.perf_counter()
    engine = LLM(path, dtype="bfloat16", max_model_len=256, max_num_seqs=576, enable_prefix_caching=True, seed=42)
    result = {"seconds": {"load": time.perf_counter() - start}, "tokens": {}}
    for stage, name, is_best, count in jobs:
        start = time.perf_counter()
        prompts = [q.best(prompt) if is_best else prompt for prompt in q.read_prompts(rows, name)]
        how = SamplingParams(
            n=count, temperature=q.TEMPERATURE, top_p=q.TOP_P, max_tokens=tokens, stop=q.STOP, include_stop_str_in_output=True)
        answers = engine.generate(prompts, how, use_tqdm=False)
        result["seconds"][stage] = time.perf_counter() - start
        result["tokens"][stage] = sum(len(sample.token_ids) for answer in answers for sample in answer.outputs)
    print(json.dumps(result))


# vLLM starts a process of its own, which imports this file.
if __name__ == "__main__":
    main()
