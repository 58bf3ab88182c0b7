"""llama_sampling_peer.py MODEL ROWS JOBS [TOKENS]: the quickstart's samples by llama.cpp, from a GGUF file in bf16.

JOBS is a JSON list of [stage, prompts, whether they stand under the best class, samples of each]; prompts are those in ROWS,
`valid` or the number of an iteration. Prints the seconds of loading and of each stage, and how many tokens were drawn.

Continuous batching with the library's own samplers: the samples of a prompt share its cells of the cache, and a prompt takes the
place of the first one whose samples have all ended. LLAMA_CPP_LIB_PATH names the folder of the library.
"""
import ctypes
import json
import os
import sys
import time

import llama_cpp.llama_cpp as llama
import quickstart as q

# As many as the library allows in one context.
SEQUENCES = 64
CELLS = 4096


class Sampling:
    def __init__(self, path, threads):
        llama.llama_backend_init()
        self.quiet = llama.llama_log_callback(lambda *_: None)
        llama.llama_log_set(self.quiet, None)
        self.model = llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params())
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = CELLS
        parameters.n_seq_max, parameters.kv_unified = SEQUENCES, True
        parameters.n_threads = parameters.n_threads_batch = threads
        self.context = llama.llama_init_from_model(self.model, parameters)
        self.vocabulary = llama.llama_model_get_vocab(self.model)
        self.memory = llama.llama_get_memory(self.context)
        self.batch = llama.llama_batch_init(CELLS, 0, SEQUENCES)
        self.sampler = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
        for part in (llama.llama_sampler_init_temp(q.TEMPERATURE), llama.llama_sampler_init_top_p(q.TOP_P, 1),
                     llama.llama_sampler_init_dist(42)):
            llama.llama_sampler_chain_add(self.sampler, part)

    def ids(self, text):
        text = text.encode()
        room = (llama.llama_token * (len(text) + 8))()
        count = llama.llama_tokenize(self.vocabulary, text, len(text), room, len(room), False, True)
        return room[:count]

    def ends(self, token):
        """Whether a token ends a sample. All stop texts are single characters."""
        room = ctypes.create_string_buffer(256)
        count = llama.llama_token_to_piece(self.vocabulary, token, room, len(room), 0, False)
        return llama.llama_vocab_is_eog(self.vocabulary, token) or q.until_stop(room[:count].decode(errors="replace"))[1]

    def put(self, token, position, sequences, wanted):
        """Its place in the batch."""
        batch, place = self.batch, self.batch.n_tokens
        batch.token[place], batch.pos[place], batch.logits[place] = token, position, wanted
        batch.n_seq_id[place] = len(sequences)
        for index, sequence in enumerate(sequences):
            batch.seq_id[place][index] = sequence
        batch.n_tokens += 1
        return place

    def run(self, prompts, count, most):
        """How many tokens were drawn."""
        waiting, drawn = [self.ids(prompt) for prompt in reversed(prompts)], 0
        free = [range(first, first + count) for first in range(0, SEQUENCES - count + 1, count)]
        # Of each sequence the last token, its position, how many were drawn, and its prompt's sequences.
        live = {}
        while waiting or live:
            self.batch.n_tokens, places = 0, {}
            for sequence, (token, position, number, group) in live.items():
                places[sequence] = self.put(token, position, [sequence], True)
            while waiting and free:
                prompt, group = waiting.pop(), free.pop()
                for position, token in enumerate(prompt):
                    place = self.put(token, position, group, position == len(prompt) - 1)
                for sequence in group:
                    live[sequence], places[sequence] = (None, len(prompt) - 1, 0, group), place
            if llama.llama_decode(self.context, self.batch) != 0:
                sys.exit("llama_decode failed")
            for sequence, place in places.items():
                _, position, number, group = live[sequence]
                token = llama.llama_sampler_sample(self.sampler, self.context, place)
                drawn += 1
                if number + 1 < most and not self.ends(token):
                    live[sequence] = (token, position + 1, number + 1, group)
                    continue
                del live[sequence]
                llama.llama_memory_seq_rm(self.memory, sequence, -1, -1)
                if not any(other in live for other in group):
                    free.append(group)
        return drawn


def main():
    path, rows, jobs = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    tokens = int(sys.argv[4]) if len(sys.argv) > 4 else 12
    start = time.perf_counter()
    sampling = Sampling(path, os.cpu_count())
    result = {"seconds": {"load": time.perf_counter() - start}, "tokens": {}}
    for stage, name, is_best, count in jobs:
        start = time.perf_counter()
        prompts = [q.best(prompt) if is_best else prompt for prompt in q.read_prompts(rows, name)]
        result["tokens"][stage] = sampling.run(prompts, count, tokens)
        result["seconds"][stage] = time.perf_counter() - start
    print(json.dumps(result))


main()
