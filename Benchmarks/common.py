"""What both benchmarks share: peers in virtual environments, and what machine this is."""

import os
import platform
import subprocess
import sys


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
