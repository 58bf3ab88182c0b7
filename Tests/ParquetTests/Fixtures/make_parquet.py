#!/usr/bin/env python3
"""Writes small Parquet files, and what their rows are in JSON Lines: `ROWS.jsonl` for every `ROWS.NAME.parquet`.

    python3 make_parquet.py        needs pyarrow

One file an encoding, a codec, a version of pages, and a nesting. The expected rows are the values that were given to pyarrow; that
pyarrow reads them back is asserted.
"""

import json
import pathlib
import struct

import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
TEXTS = ["", "a", "Zoë 🦊", "line\nline", "prefix one", "prefix two", "prefix two and more", 'say "hi"']


def write(name, rows, schema, **options):
    table = pa.Table.from_pylist(rows, schema=schema)
    defaults = dict(compression="none", use_dictionary=False, write_statistics=False, store_schema=False)
    pq.write_table(table, HERE / f"{name}.parquet", **(defaults | options))
    back = pq.read_table(HERE / f"{name}.parquet").to_pylist(maps_as_pydicts=None)
    assert len(back) == len(rows), name
    assert back == rows, (name, back, rows)
    with open(HERE / f"{name.split('.')[0]}.jsonl", "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def flat(count):
    return [
        {
            "text": TEXTS[i * i % 8],
            "maybe": None if i % 3 == 0 else TEXTS[i % 8] + str(i % 5),
            "small": i * 7 - 40,
            "large": (-1) ** i * 3 ** (i % 39),
            "flag": i % 5 < 2,
            "half": i / 4 - 3,
            "maybe_number": None if i % 4 else i * 1000003,
        }
        for i in range(count)
    ]


FLAT = pa.schema(
    [
        pa.field("text", pa.string(), nullable=False),
        pa.field("maybe", pa.string()),
        pa.field("small", pa.int32(), nullable=False),
        pa.field("large", pa.int64()),
        pa.field("flag", pa.bool_()),
        pa.field("half", pa.float64()),
        pa.field("maybe_number", pa.int64()),
    ]
)


def main():
    rows = flat(50)
    for version in ["1.0", "2.0"]:
        for codec in ["none", "snappy", "gzip", "zstd"]:
            write(f"flat.{codec}-v{version[0]}", rows, FLAT, compression=codec, data_page_version=version)
    for version in ["1.0", "2.0"]:
        write(f"flat.dictionary-v{version[0]}", rows, FLAT, use_dictionary=True, data_page_version=version)
    write("flat.plain-dictionary", rows, FLAT, use_dictionary=True, version="1.0")
    # Several pages a column, and a dictionary that grows too large, after which pages are plain.
    write("many.pages", flat(100), FLAT, data_page_size=64, write_batch_size=16)
    write("many.fallback", flat(100), FLAT, use_dictionary=True, dictionary_pagesize_limit=64, data_page_size=64, write_batch_size=16)
    write("flat.groups", rows, FLAT, row_group_size=10)
    write("flat.statistics", rows, FLAT, write_statistics=True, write_page_index=True, write_page_checksum=True)
    write("empty.empty", [], FLAT)

    numbers = [{"a": i * i * (-1) ** i, "b": None if i % 7 == 3 else (i * 2654435761) % 2**62 - 2**61} for i in range(300)]
    ends = [{"a": 2**31 - 1, "b": 2**63 - 1}, {"a": -(2**31), "b": -(2**63)}, {"a": 0, "b": 0}]
    schema = pa.schema([pa.field("a", pa.int32()), pa.field("b", pa.int64())])
    encoding = {"a": "DELTA_BINARY_PACKED", "b": "DELTA_BINARY_PACKED"}
    write("numbers.delta-binary-packed", numbers + ends, schema, column_encoding=encoding, compression="zstd")
    texts = [{"a": f"https://example.org/{i // 7}/{i}", "b": None if i % 4 == 1 else TEXTS[i % 8] * (i % 3)} for i in range(150)]
    schema = pa.schema([pa.field("a", pa.string()), pa.field("b", pa.string())])
    for name in ["DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"]:
        encoding = {"a": name, "b": name}
        write("texts." + name.lower().replace("_", "-"), texts, schema, column_encoding=encoding, compression="zstd")
    flags = [{"a": i % 11 < 5, "b": None if i % 5 == 0 else i % 2 == 0} for i in range(100)]
    schema = pa.schema([pa.field("a", pa.bool_(), nullable=False), pa.field("b", pa.bool_())])
    write("flags.rle", flags, schema, column_encoding={"a": "RLE", "b": "RLE"}, data_page_version="2.0")

    integers = [
        {"u8": 255, "i8": -128, "u16": 65535, "i16": -32768, "u32": 2**32 - 1, "u64": 2**64 - 1, "f32": 0.5},
        {"u8": 0, "i8": 127, "u16": 1, "i16": 5, "u32": 7, "u64": 2**63 - 1, "f32": -1.25},
    ]
    types = [pa.uint8(), pa.int8(), pa.uint16(), pa.int16(), pa.uint32(), pa.uint64(), pa.float32()]
    write("integers.plain", integers, pa.schema(list(zip(integers[0], types))))

    message = pa.struct([pa.field("role", pa.string()), pa.field("content", pa.string())])
    nested = [
        {
            "id": f"n{i}",
            "messages": None if i % 6 == 5 else [
                None if (i + j) % 9 == 8 else {"role": "user" if j % 2 == 0 else "assistant", "content": None if j == 3 else f"{i}.{j}"}
                for j in range(i % 5)
            ],
            "matrix": [[j * k for k in range(j)] for j in range(i % 4)] if i % 3 else None,
            "meta": None if i % 4 == 2 else {"source": {"name": None if i % 8 == 3 else f"s{i}", "tags": ["x", None][: i % 3]}, "n": i},
        }
        for i in range(40)
    ]
    schema = pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("messages", pa.list_(message)),
            pa.field("matrix", pa.list_(pa.list_(pa.int64()))),
            pa.field(
                "meta",
                pa.struct([
                    pa.field("source", pa.struct([pa.field("name", pa.string()), pa.field("tags", pa.list_(pa.string()))])),
                    pa.field("n", pa.int64(), nullable=False),
                ]),
            ),
        ]
    )
    for version in ["1.0", "2.0"]:
        write(f"nested.v{version[0]}", nested, schema, data_page_version=version, use_dictionary=True, compression="zstd")
    write("nested.pages", nested, schema, data_page_size=32, write_batch_size=4, row_group_size=15)
    write("nested.old-lists", nested, schema, use_compliant_nested_type=False, compression="snappy")

    # What is not read. No rows beside them: a test names the error.
    import datetime
    import decimal

    def refuse(name, values, type, **options):
        defaults = dict(compression="none", use_dictionary=False, store_schema=False)
        table = pa.table({"good": pa.array(["x"] * len(values)), "bad": pa.array(values, type=type)})
        pq.write_table(table, HERE / f"refused.{name}.parquet", **(defaults | options))

    refuse("decimal", [decimal.Decimal("1.5")], pa.decimal128(5, 2))
    refuse("int96", [datetime.datetime(2020, 1, 1)], pa.timestamp("ns"), use_deprecated_int96_timestamps=True)
    refuse("fixed", [b"abcd"], pa.binary(4))
    refuse("bytes", [b"\xff\xfe"], pa.binary())
    refuse("lz4", ["y"], pa.string(), compression="lz4")
    refuse("brotli", ["y"], pa.string(), compression="brotli")
    refuse("split", [1.0, 2.0], pa.float64(), column_encoding={"bad": "BYTE_STREAM_SPLIT"})
    refuse("nan", [1.0, float("nan"), float("inf"), 2.0], pa.float64())
    # Many rows of one text in few bytes.
    rows = 20_000
    table = pa.table({"good": pa.array(["y" * 10_000] * rows).dictionary_encode()})
    pq.write_table(table, HERE / "refused.expansion.parquet", compression="zstd", store_schema=False, write_statistics=False)
    # One row of many values in few bytes.
    table = pa.table({"good": pa.ListArray.from_arrays([0, 9_000_000], pa.array(["y"] * 9_000_000).dictionary_encode())})
    pq.write_table(table, HERE / "refused.values.parquet", compression="zstd", store_schema=False, write_statistics=False)
    moment = datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    table = pa.table({"day": pa.array([moment.date()]), "at": pa.array([moment], pa.timestamp("ms", tz="UTC"))})
    pq.write_table(table, HERE / "moments.plain.parquet", compression="none", store_schema=False)
    (HERE / "moments.jsonl").write_text(
        json.dumps({"day": moment.date().toordinal() - datetime.date(1970, 1, 1).toordinal(), "at": int(moment.timestamp()) * 1000}, separators=(",", ":")) + "\n"
    )
    claims("rows", rows=1 << 60)


def claims(name, rows):
    """A file of one column without values that claims so many rows, which no library writes."""
    column = struct_of(
        (1, 5, 6), (2, 9, [(5, 0)]), (3, 9, [(8, b"good")]), (4, 5, 0), (5, 6, 0), (6, 6, 0), (7, 6, 0), (9, 6, 4))
    group = struct_of((1, 9, [(12, struct_of((2, 6, 4), (3, 12, column)))]), (2, 6, 0), (3, 6, rows))
    root, good = struct_of((4, 8, b"schema"), (5, 5, 1)), struct_of((1, 5, 6), (3, 5, 1), (4, 8, b"good"))
    footer = struct_of((1, 5, 1), (2, 9, [(12, root), (12, good)]), (3, 6, rows), (4, 9, [(12, group)]))
    (HERE / f"refused.{name}.parquet").write_bytes(b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1")


def struct_of(*fields):
    """A struct of Thrift's compact protocol, of (field, type, value): 5 and 6 integers, 8 bytes, 9 a list of (type, value), 12 a struct."""

    def varint(number):
        return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)

    def encoded(type, value):
        if type == 9:
            return bytes([len(value) << 4 | value[0][0]]) + b"".join(encoded(*element) for element in value)
        return varint(2 * value) if type < 8 else varint(len(value)) + value if type == 8 else value

    before, text = 0, b""
    for field, type, value in fields:
        text += bytes([field - before << 4 | type]) + encoded(type, value)
        before = field
    return text + b"\0"


main()
