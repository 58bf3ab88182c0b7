"""The processes that train_torch.py runs in, by accelerate or alone, and the states from which they go on."""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import sys
import time

import torch

from train_torch_rows import read_json


class OneProcess:
    """What is used of accelerate, where that is not installed."""

    process_index, num_processes, is_main_process = 0, 1, True
    distributed_type = "NO"
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def prepare(self, model, optimizer):
        self.parts = model.to(self.device), optimizer
        return self.parts

    def unwrap_model(self, model):
        return model

    def no_sync(self, model):
        return contextlib.nullcontext()

    def backward(self, loss):
        loss.backward()

    def clip_grad_norm_(self, parameters, limit):
        return torch.nn.utils.clip_grad_norm_(parameters, limit)

    def reduce(self, tensor, how):
        return tensor

    def get_state_dict(self, model):
        return model.state_dict()

    def wait_for_everyone(self):
        pass

    def save_state(self, folder):
        os.makedirs(folder, exist_ok=True)
        torch.save([part.state_dict() for part in self.parts], f"{folder}/state.pt")

    def load_state(self, folder):
        for part, state in zip(self.parts, torch.load(f"{folder}/state.pt", map_location=self.device)):
            part.load_state_dict(state)


def start_processes():
    try:
        from accelerate import Accelerator
        from accelerate.utils import DistributedDataParallelKwargs

        # Gradients exist once, not in buckets too.
        handlers = [DistributedDataParallelKwargs(gradient_as_bucket_view=True)]
        result = Accelerator(cpu=not torch.cuda.is_available(), kwargs_handlers=handlers)
    except ImportError:
        result = OneProcess()
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if result.num_processes != started:
        sys.exit(f"{started} processes were started, but {result.num_processes} work together; that needs accelerate")
    return result


class Checkpoints:
    """States of a training in a folder named after its options and data, from the newest of which it goes on."""

    def __init__(self, options, examples, machine):
        self.machine, self.minutes, self.saved, self.folder = machine, options.checkpoint_minutes, time.monotonic(), None
        if options.checkpoints:
            places = ("rows", "model", "reference", "out", "metrics", "threads", "checkpoints", "checkpoint_minutes")
            said = {name: value for name, value in vars(options).items() if name not in places}
            models = [self._sampled(folder) for folder in (options.model, options.reference) if folder]
            text = json.dumps([said, machine.num_processes, models, examples], sort_keys=True)
            self.folder = pathlib.Path(options.checkpoints).expanduser() / hashlib.sha256(text.encode()).hexdigest()[:24]

    @staticmethod
    def _sampled(folder):
        """A digest of a model: of 16,384 places of each file, which is all of a small one."""
        digest = hashlib.sha256()
        for path in sorted(path for path in pathlib.Path(folder).iterdir() if path.is_file()):
            size = path.stat().st_size
            digest.update(f"{path.name} {size}\n".encode())
            with path.open("rb") as file:
                for place in range(0, size, max(4096, size // 16384)):
                    file.seek(place)
                    digest.update(file.read(4096))
        return digest.hexdigest()

    def restore(self):
        """The step and the series so far."""
        done = sorted(self.folder.glob("*/done.json"), key=lambda path: int(path.parent.name)) if self.folder else []
        if not done:
            return 0, {}
        self.machine.load_state(str(done[-1].parent))
        return int(done[-1].parent.name), read_json(done[-1])

    def save(self, step, series):
        if not self.folder or self._flag(time.monotonic() - self.saved < self.minutes * 60):
            return
        folder = self.folder / str(step)
        self.machine.save_state(str(folder))
        self.machine.wait_for_everyone()
        if self.machine.is_main_process:
            (folder / "done.json").write_text(json.dumps(series))
            for other in self.folder.iterdir():
                if other != folder:
                    shutil.rmtree(other)
        self.saved = time.monotonic()

    def _flag(self, value):
        """As the first process sees it, so that all do the same."""
        flag = torch.tensor([float(value and self.machine.is_main_process)], device=self.machine.device)
        return bool(self.machine.reduce(flag, "sum").item())

    def remove(self):
        if self.folder and self.machine.is_main_process:
            shutil.rmtree(self.folder, ignore_errors=True)
