"""What TensorBoard reads of each run beside what the run's stages measured: every number, at its step."""
import pathlib
import struct
import sys

from records import measured
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def single(value):
    """As a float of 32 bits, which is what an event holds."""
    return struct.unpack("f", struct.pack("f", value))[0]


def main(board, plumb):
    for folder in sorted(pathlib.Path(board, "steer").iterdir()):
        read = EventAccumulator(str(folder), size_guidance={"scalars": 0})
        read.Reload()
        wanted = {tag: [(step, single(value)) for step, value in numbers] for tag, numbers in measured(plumb, folder.name).items()}
        found = {tag: sorted((event.step, event.value) for event in read.Scalars(tag)) for tag in read.Tags()["scalars"]}
        for tag, numbers in wanted.items():
            if found.get(tag) != sorted(numbers):
                sys.exit(f"{folder.name}: {tag}: {found.get(tag)} in TensorBoard, {numbers} in the record")
        text = read.Tensors("experiment")[0].tensor_proto.string_val[0].decode()
        assert "extends: steer.yaml" in text, text
        print(f"TensorBoard, {folder.name}: {len(wanted)} curves, {sum(map(len, wanted.values()))} numbers as in the record")


main(*sys.argv[1:])
