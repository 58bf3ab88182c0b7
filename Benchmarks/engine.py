#!/usr/bin/env python3
"""Speed of sampling, scoring, training and products compared with transformers and llama.cpp: the same work, in turns, medians.

    Benchmarks/engine.py [--model FILE.gguf] [--only sample,score] [--repeat 3] [--isa avx2] [--no-peers] [--json FILE]
    Benchmarks/engine.py --only families        # every family's time for an operation beside SmolLM2's
    Benchmarks/engine.py --only file [--model FILE.gguf]   # models in the bits of their files, beside llama.cpp with the same file

Every program prepares a piece of work and then does it once each time it is told to, in turn with the others, so that a slow
minute of the machine meets all of them. The model is SmolLM2-135M, which the quickstart downloads. Peers come by pip into
.build/peers: torch and transformers, and llama.cpp from the source in llama-cpp-python. Times gate nothing.

`floor` is the time that the machine's own ceilings allow, measured in the same run: multiply-adds in registers and bytes from
memory, whichever takes longer; of bf16 and int8 the processor's own products of bf16, where it has them. Where the processor has no bf16 instructions PyTorch's bf16 is emulated and slower than its fp32:
there fp32 alone is the peer.
"""

import argparse
import glob
import json
import os
import platform
import subprocess
import sys
import tarfile
import time

from common import Program, processor, processor_flags, virtual_environment

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HERE = os.path.join(ROOT, "Benchmarks", "peers")

# Its archive holds the source of llama.cpp.
LLAMA = "llama-cpp-python==0.3.16"

# Of SmolLM2-135M: weights that every token meets, and those of the head, which only rows that predict meet.
BODY, HEAD = 106_203_456, 28_311_552

# Weights up to this many bytes are taken to lie in a cache when they are used again and again.
LARGEST_CACHE = 32 << 20

# Tokens of prompt and reference summary of 16 posts of TL;DR, drawn at random, in SmolLM2's tokens.
TLDR = [
    (408, 32), (411, 45), (347, 40), (423, 30), (435, 36), (274, 34), (229, 48), (482, 44), (352, 33), (345, 29), (292, 25),
    (411, 35), (281, 29), (247, 46), (300, 33), (380, 30)]


def sample(name, prompts, samples, length, bars):
    new = 48

    def floor(flops, memory):
        batch = prompts * samples
        prefill = 2 * (prompts * length * BODY + prompts * HEAD) / flops
        step = max(2 * batch * (BODY + HEAD) / flops, 2 * (BODY + HEAD) / memory)
        return prefill + (new - 1) * step

    work = {"kind": "sample", "prompts": prompts, "samples": samples, "length": length, "new": new}
    return Workload(name, work, prompts * samples * new, "tokens/s", floor, bars, llama=prompts == 1 or samples == 1,
                    modes=("bf16", "fp32", "int8"))


def rows(kind, name, pairs, bars):
    passes = 3 if kind == "train" else 1
    read, predicted = sum(map(sum, pairs)), sum(wanted for _, wanted in pairs)

    def floor(flops, memory):
        return passes * 2 * (read * BODY + predicted * HEAD) / flops

    return Workload(name, {"kind": kind, "rows": pairs}, read, "tokens/s", floor, bars)


def product(m, n, k):
    def floor(flops, memory):
        weights = n * k * 2
        return max(2 * m * n * k / flops, weights / memory if weights > LARGEST_CACHE else 0)

    work = {"kind": "gemm", "m": m, "n": n, "k": k}
    return Workload(f"product {m} x {n} x {k}", work, 2e-9 * m * n * k, "GFLOP/s", floor, {})


class Workload:
    """`bars`: the least ratio to each peer, with AMX; `unit`s are what `amount` counts."""

    def __init__(self, name, work, amount, unit, floor, bars, llama=False, modes=("bf16", "fp32")):
        self.name, self.work, self.amount, self.unit = name, work, amount, unit
        self.floor, self.bars, self.llama, self.modes = floor, bars, llama, modes


WORKLOADS = [
    sample("sample, batch 1", 1, 1, 64, {"transformers bf16": 2.5, "llama.cpp bf16": 1}),
    sample("sample, batch 16", 16, 1, 64, {"transformers bf16": 5, "llama.cpp bf16": 2, "transformers fp32 without AMX": 2}),
    sample("sample, batch 64", 64, 1, 64, {"transformers bf16": 8, "llama.cpp bf16": 3}),
    sample("sample, 4 prompts x 16", 4, 16, 300, {"transformers bf16": 12}),
    rows("score", "score, 16 rows of TL;DR", TLDR, {"transformers bf16": 6}),
    rows("train", "train, 8 x 256", [(1, 255)] * 8, {"transformers bf16": 3, "transformers fp32 without AMX": 1.8}),
    rows("train", "train, 8 rows of TL;DR", TLDR[:8], {"transformers bf16": 3, "transformers fp32 without AMX": 3}),
    Workload("checkpoint of training, written", {"kind": "save"}, 1, "/s", None, {}, modes=["bf16"]),
    Workload("checkpoint of training, resumed", {"kind": "resume"}, 1, "/s", None, {}, modes=["bf16"]),
    *[product(m, n, k) for m, n, k in [
        (1, 1536, 576), (16, 1536, 576), (1, 49152, 576), (128, 1536, 576), (256, 1536, 576), (1024, 576, 1536),
        (1024, 3072, 768), (1024, 1024, 4096), (4096, 2048, 2048)]],
]


class Shape:
    """What a model computes: weights that every token meets, those of the head, and layers times heads times head dimension. Its
    weights are drawn, so that the draw of tokens is as hard for each."""

    def __init__(self, file, body, head, attention):
        self.model = os.path.join(ROOT, "Benchmarks", "shapes", file)
        self.body, self.head, self.attention = body, head, attention

    def operations(self, work):
        """Of a piece of work, in multiplications and additions of products and of attention."""
        def read(first, count, predicted):
            seen = count * (2 * first + count + 1) // 2  # keys that these tokens attend to, in all
            return 2 * (count * self.body + predicted * self.head) + 4 * seen * self.attention

        if work["kind"] == "sample":
            prompt, new = work["length"], work["new"]
            drawn = read(prompt, new - 1, new - 1) * work["samples"]
            return work["prompts"] * (read(0, prompt, 1) + drawn)
        passes = 3 if work["kind"] == "train" else 1
        return passes * sum(read(0, given + wanted, wanted) for given, wanted in work["rows"])


# SmolLM2-135M, and shapes of its size: GPT-2 small's; with GPT-J's heads of 256; with Pythia's heads of 80.
SHAPES = {
    "SmolLM2": Shape("smollm2.json", BODY, HEAD, 30 * 576),
    "GPT-2": Shape("gpt2.json", 12 * 12 * 768**2, 50257 * 768, 12 * 768),
    "GPT-J": Shape("gptj.json", 12 * 12 * 768**2, 50400 * 768, 12 * 768),
    "GPT-NeoX": Shape("gpt-neox.json", 20 * 12 * 640**2, 50304 * 640, 20 * 640),
}
FAMILY_WORKLOADS = ["sample, batch 1", "sample, batch 16", "score, 16 rows of TL;DR", "train, 8 x 256"]


def transformers_peer(folder, gguf):
    """Python with transformers, and the model in its format."""
    bin_folder = virtual_environment(os.path.join(folder, "python"), ["torch", "transformers", "gguf", "accelerate"])
    if not bin_folder:
        return None
    python, model = os.path.join(bin_folder, "python"), os.path.join(folder, "model")
    if not os.path.exists(os.path.join(model, "config.json")):
        subprocess.run([python, os.path.join(HERE, "convert.py"), gguf, model], check=True, stdout=subprocess.DEVNULL)
    return lambda workload: [python, os.path.join(HERE, "transformers_peer.py"), model, workload]


# What `--only file` samples from: SmolLM2, and where its rows are no whole blocks a model of random ones.
FILE_TYPES = ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]
FILE_WORKLOADS = {"sample, batch 1": 1, "sample, batch 16": 1.3}


def llama_tools(folder):
    """Python and llama.cpp's batched benchmark, built from pip's source, with llama-quantize beside it."""
    bin_folder = virtual_environment(os.path.join(folder, "python"), ["scikit-build-core", "cmake", "ninja"])
    if not bin_folder:
        return None
    python, bench = os.path.join(bin_folder, "python"), os.path.join(folder, "llama", "bin", "llama-batched-bench")
    source = os.path.join(folder, "llama-source")
    if not os.path.exists(bench):
        download = [python, "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation", "-d", source]
        subprocess.run(download + ["--no-binary", LLAMA.split("=")[0], LLAMA], check=True)
        archive = glob.glob(os.path.join(source, "*.tar.gz"))[0]
        with tarfile.open(archive) as file:
            file.extractall(source, filter="data")
        code = glob.glob(os.path.join(source, "*", "vendor", "llama.cpp"))[0]
        environment = dict(os.environ, PATH=f"{bin_folder}:{os.environ['PATH']}")
        options = ["-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON", "-DLLAMA_CURL=OFF", "-DLLAMA_BUILD_TESTS=OFF",
                   "-DLLAMA_BUILD_EXAMPLES=OFF", "-DLLAMA_BUILD_SERVER=OFF", "-DGGML_OPENMP=OFF"]
        build = os.path.join(folder, "llama")
        for command in [["cmake", "-G", "Ninja", "-S", code, "-B", build, *options],
                        ["ninja", "-C", build, "llama-batched-bench", "llama-quantize"]]:
            result = subprocess.run(command, capture_output=True, text=True, env=environment)
            if result.returncode != 0:
                print(f"llama.cpp cannot be built: {(result.stderr or result.stdout)[-1500:]}", file=sys.stderr)
                return None
    return python, bench


def llama_command(tools, model):
    return lambda workload: [tools[0], os.path.join(HERE, "llama_peer.py"), tools[1], model, workload]


def requantized(tools, folder, gguf, kind):
    """The model in another type, written once."""
    model = os.path.join(folder, f"model-{kind.lower()}.gguf")
    if not os.path.exists(model):
        quantize = os.path.join(os.path.dirname(tools[1]), "llama-quantize")
        subprocess.run([quantize, "--allow-requantize", "--pure", gguf, model, kind], check=True, capture_output=True)
    return model


def llama_peer(folder, gguf):
    """llama.cpp on the model in bf16."""
    tools = llama_tools(folder)
    return tools and llama_command(tools, requantized(tools, folder, gguf, "BF16"))


def find_model():
    found = glob.glob(os.path.expanduser("~/.cache/plumb/models/*/SmolLM2-135M*.gguf"))
    if not found:
        sys.exit("the model is missing: run `make quickstart` once, or name one with --model")
    return found[0]


def measure(workload, programs, repeat, environment):
    """Takes turns; what fails says why and is left out."""
    running = {}
    for (name, mode), command in programs.items():
        text = json.dumps({**workload.work, "mode": mode})
        try:
            running[f"{name} {mode}"] = program = Program(command(text), environment if name == "ours" else None)
            program.go(counted=False)
        except RuntimeError as problem:
            print(f"{workload.name}: {problem}", file=sys.stderr)
            running.pop(f"{name} {mode}", None)
    for _ in range(repeat):
        for name, program in list(running.items()):
            time.sleep(0.3)  # a peer's threads wait for more work by spinning, 0.2 s long
            try:
                program.go()
            except RuntimeError as problem:  # such as where memory does not hold all of them
                print(f"{workload.name}: {problem}", file=sys.stderr)
                del running[name]
    return {name: program.end() for name, program in running.items()}


def families(engine, repeat, environment):
    """How much of one thread's processor time each family takes for an operation, beside SmolLM2."""
    print("| work | model | rate | time of an operation / SmolLM2's |\n|---|---|---|---|", flush=True)
    results = []
    for workload in (workload for workload in WORKLOADS if workload.name in FAMILY_WORKLOADS):
        for mode in ("bf16", "fp32"):
            work = json.dumps({**workload.work, "mode": mode, "threads": 1})
            programs = {name: Program([engine, shape.model, work], environment, clock="cpu") for name, shape in SHAPES.items()}
            for turn in range(1 + repeat):
                for program in programs.values():
                    program.go(counted=turn > 0)
            first = None
            for name, program in programs.items():
                seconds, count = program.end()["seconds"], SHAPES[name].operations(workload.work)
                first = first or seconds / count
                print(f"| {workload.name}, {mode} | {name} | {1e-9 * count / seconds:.1f} GFLOP/s | {seconds / count / first:.2f} |",
                      flush=True)
                results.append({"name": workload.name, "mode": mode, "model": name, "seconds": seconds, "operations": count})
    return results


def files(options, gguf, environment):
    """Sampling in mode `file` beside llama.cpp with the same file."""
    tools = None if options.no_peers or options.no_llama else llama_tools(options.peers)
    models = {"the file": gguf} if options.model else {}
    for kind in [] if options.model else FILE_TYPES:
        if kind.endswith("_K"):
            models[kind] = path = os.path.join(options.peers, f"random-{kind.lower()}.gguf")
            if not os.path.exists(path):
                shape = ["--hidden", "1024", "--layers", "12", "--heads", "16", "--feed-forward", "2816"]
                subprocess.run([sys.executable, os.path.join(ROOT, "Benchmarks", "make_gguf.py"), path, "--type", kind, *shape],
                               check=True)
        elif tools:
            models[kind] = requantized(tools, options.peers, gguf, kind)
    print("| work | model | program | rate | ratio | bar | peak |\n|---|---|---|---|---|---|---|", flush=True)
    results = []
    for kind, path in models.items():
        for workload in (workload for workload in WORKLOADS if workload.name in FILE_WORKLOADS):
            programs = {("ours", mode): lambda text: [options.engine, path, text] for mode in ("file", "bf16")}
            if options.model:
                del programs["ours", "bf16"]
            if tools:
                programs["llama.cpp", kind] = llama_command(tools, path)
            measured = measure(workload, programs, options.repeat, environment)
            ours = measured["ours file"]
            for name, result in measured.items():
                ratio = "" if result is ours else f"{result['seconds'] / ours['seconds']:.2f}"
                bar = FILE_WORKLOADS[workload.name] if name.startswith("llama") else ""
                print(f"| {workload.name} | {kind} | {name} | {workload.amount / result['seconds']:.4g} {workload.unit} | {ratio} | {bar} "
                      f"| {result['peak_bytes'] / 1e9:.2f} GB |", flush=True)
            results.append({"name": workload.name, "model": kind, "measured": measured})
    return results


def ceilings(engine, gguf, environment):
    """Operations a second of two threads by mode, and bytes."""
    def best(work):
        program = Program([engine, gguf, json.dumps(work)], environment)
        for _ in range(5):
            program.go()
        program.end()
        return min(program.times)
    size = 256 << 20
    fma = 1e9 / best({"kind": "fma"})
    bf16 = 1e9 / best({"kind": "bf16"})
    return {"bf16": bf16, "int8": bf16, "fp32": fma}, size / best({"kind": "read", "bytes": size})


def write(path, record):
    with open(path, "w") as file:
        json.dump(record, file, indent=2)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--engine", default=os.path.join(ROOT, ".build", "release", "EngineBench"))
    arguments.add_argument("--model", help="a GGUF file of SmolLM2-135M (default: the quickstart's)")
    arguments.add_argument("--only", default="sample,score,train,save,resume,gemm", help="kinds of work, or `families`, or `file`")
    arguments.add_argument("--repeat", type=int, default=3)
    arguments.add_argument("--isa", help="forces our instruction-set path, as PLUMB_ISA does")
    arguments.add_argument("--no-peers", action="store_true")
    arguments.add_argument("--no-llama", action="store_true", help="without llama.cpp, which takes minutes to build")
    arguments.add_argument("--peers", default=os.path.join(ROOT, ".build", "peers"), help="where the peers are kept")
    arguments.add_argument("--json", default=os.path.join(ROOT, ".build", "engine-bench.json"))
    options = arguments.parse_args()
    environment = dict(os.environ, **({"PLUMB_ISA": options.isa} if options.isa else {}))
    if options.only == "families":
        print(f"{processor()}, {os.cpu_count()} processors; medians of {options.repeat}, in turns\n")
        results = families(options.engine, options.repeat, environment)
        write(options.json, {"processor": processor(), "isa": options.isa, "families": results})
        return
    gguf = options.model or find_model()
    os.makedirs(options.peers, exist_ok=True)
    if options.only == "file":
        print(f"{processor()}, {os.cpu_count()} processors; medians of {options.repeat}, in turns\n")
        results = files(options, gguf, environment)
        write(options.json, {"processor": processor(), "isa": options.isa, "files": results})
        return
    transformers = None if options.no_peers else transformers_peer(options.peers, gguf)
    llama = None if options.no_peers or options.no_llama or not transformers else llama_peer(options.peers, gguf)
    peer_modes = ["bf16", "fp32"] if processor_flags() & {"amx_bf16", "avx512_bf16"} else ["fp32"]
    has_amx = "amx_bf16" in processor_flags() and options.isa in (None, "amx")

    flops, memory = ceilings(options.engine, gguf, environment)
    print(f"{processor()}, {os.cpu_count()} processors; ceilings: {flops['fp32'] * 1e-9:.0f} GFLOP/s of fp32 multiply-adds, "
          f"{flops['bf16'] * 1e-9:.0f} of bf16, "
          f"{memory * 1e-9:.1f} GB/s; medians of {options.repeat}, in turns\n")
    print("| work | program | rate | ratio | bar | floor | peak |\n|---|---|---|---|---|---|---|", flush=True)
    results = []
    for workload in WORKLOADS:
        if workload.work["kind"] not in options.only.split(","):
            continue
        programs = {("ours", mode): lambda text: [options.engine, gguf, text] for mode in workload.modes}
        if transformers and workload.work["kind"] not in ("save", "resume"):
            programs |= {("transformers", mode): transformers for mode in peer_modes if mode in workload.modes}
        if llama and workload.llama:
            programs[("llama.cpp", "bf16")] = llama
        measured = measure(workload, programs, options.repeat, environment)
        ours = measured.get(f"ours {workload.modes[0]}")
        if not ours:
            continue
        least = {mode: workload.floor(flops[mode], memory) for mode in workload.modes} if workload.floor else {}
        for name, result in measured.items():
            rate = workload.amount / result["seconds"]
            ratio = result["seconds"] / ours["seconds"]
            bar = workload.bars.get(name) if has_amx else workload.bars.get(f"{name} without AMX")
            floor = f"{least[name.split()[1]] / result['seconds']:.0%}" if least and name.startswith("ours") else ""
            print(f"| {workload.name} | {name} | {rate:.4g} {workload.unit} | {'' if result is ours else f'{ratio:.2f}'} "
                  f"| {bar or ''} | {floor} | {result['peak_bytes'] / 1e9:.2f} GB |", flush=True)
        results.append({"name": workload.name, "work": workload.work, "unit": workload.unit, "amount": workload.amount,
                        "floor_seconds": least, "bars": workload.bars, "measured": measured})
    record = {"machine": platform.platform(), "processor": processor(), "processors": os.cpu_count(), "amx": has_amx,
              "isa": options.isa, "flops": flops, "bytes_per_second": memory, "results": results}
    write(options.json, record)
    print(f"\nratio: the speed of our bf16 divided by the row's; floor: the share of the greatest possible speed that is reached; {options.json}")


if __name__ == "__main__":
    main()
