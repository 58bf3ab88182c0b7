"""What the benchmarks share: programs that take turns, peers in virtual environments, and what machine this is."""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile


class Program:
    """A process that does one piece of work whenever it is told to. `clock`: which of its answer's times counts."""

    def __init__(self, command, environment, clock="seconds"):
        self.clock = clock
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=environment)
        self.times = []

    def go(self, counted=True):
        answer = None
        try:
            print(file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            pass
        if not answer:
            self.process.wait()
            self.errors.seek(0)
            raise RuntimeError(f"{self.process.args[:2]} ended with {self.process.returncode}: {self.errors.read()[-1500:]}")
        if counted:
            self.times.append(json.loads(answer)[self.clock])

    def end(self):
        """Median seconds and peak bytes."""
        self.process.stdin.close()
        peak = json.loads(self.process.stdout.readline())["peak_bytes"]
        self.process.wait()
        return {"seconds": statistics.median(self.times), "peak_bytes": peak}


def virtual_environment(folder, packages):
    """The bin folder of a virtual environment that holds these packages; None, with the reason on stderr, where pip cannot bring them."""
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(python):
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True, stdout=subprocess.DEVNULL)
        except (subprocess.CalledProcessError, OSError) as problem:
            print(f"no virtual environment for the peers: {problem}", file=sys.stderr)
            return None
    result = subprocess.run([python, "-m", "pip", "install", "-q", *packages], capture_output=True, text=True)
    if result.returncode != 0:
        print(f"pip cannot install {' '.join(packages)}: {result.stderr.strip()[-300:]}", file=sys.stderr)
        return None
    return os.path.join(folder, "bin")


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def processor_flags():
    try:
        with open("/proc/cpuinfo") as file:
            return next((set(line.split(":")[1].split()) for line in file if line.startswith("flags")), set())
    except OSError:
        return set()
