"""Damages valid files at random: bytes, JSON values, and content packed inside other formats."""

import copy
import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

Mutate = Callable[[bytes, Random], bytes]
NUMBERS = [0, 1, 2, 7, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1]
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 10, 100, 1000, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63)),
    *(0.0, 0.5, 1.0, -0.5, 1e-320, 1e12, 1e13, 1e308, -1e308, float("nan"), float("inf"), 10**400),
    *("", "0", "nan", "x" * 300, "../../etc", "/dev/zero", "a\nb", "\x1b[2J", "\ud800", "\u202e"),
    *("<script>alert(1)</script>", "$x^$", "$\\frac{$", "{{7*7}}", "%s", "guided", "mlp", "mnist"),
    *([], {}, [[]], [None], [1, 2], {"value": 1}, {"message": "m"}, [[0] * 50] * 50),
]


def of_bytes(content: bytes, random: Random) -> bytes:
    """Flip, cut, repeat, insert or replace bytes, up to four times."""
    changed = bytearray(content)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(changed) + 1)
        length = min(random.choice((1, 2, 4, 8, 30, 400)), max(len(changed) - at, 0))
        what = random.randrange(7)
        if what == 0 and at < len(changed):
            changed[at] ^= 1 << random.randrange(8)
        elif what == 1:
            del changed[at:]
        elif what == 2:
            del changed[at : at + length]
        elif what == 3:
            changed[at:at] = changed[at : at + length] * random.choice((1, 2, 50))
        elif what == 4:
            changed[at:at] = random.randbytes(length or 1)
        elif what == 5:
            form = random.choice(("<H", ">H", "<I", ">I", "<Q", ">Q"))
            size = struct.calcsize(form)
            number = random.choice(NUMBERS) % 256**size
            changed[at : at + size] = struct.pack(form, number)
        else:
            other = random.randrange(len(changed) + 1)
            changed[at : at + length] = changed[other : other + length]
    return bytes(changed)


def of_json(content: bytes, random: Random) -> bytes:
    """Replace, remove, add or move values; sometimes damage the text, or nest it deeply."""
    if random.random() < 0.01:
        return content.replace(b"null", b"[" * 100_000, 1)
    value = json.loads(content)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        _change(value, random)
    text = json.dumps(value).encode()
    return of_bytes(text, random) if random.random() < 0.1 else text


def _change(value: Any, random: Random) -> None:
    places = list(_places(value))
    if not places:
        return
    if random.random() < 0.5:  # every value equally often, or every branch equally often
        inside, key = random.choice(places)
    else:
        inside, key = _descend(value, random)
    what = random.randrange(8)
    if what < 4:
        inside[key] = copy.deepcopy(random.choice(VALUES))
    elif what == 4:
        del inside[key]
    elif what == 5:
        other, its_key = random.choice(places)
        inside[key] = json.loads(json.dumps(other[its_key]))
    elif isinstance(inside, list):
        inside += json.loads(json.dumps(inside[:50]))
    elif what == 6:
        new = random.choice(["x", "", "a\nb", "<b>", "\ud800", *inside])
        inside[new] = copy.deepcopy(random.choice(VALUES))
    elif type(inside[key]) in (int, float) and abs(inside[key]) < 1e300:
        inside[key] *= random.choice((-1, 0.5, 3, 1e6))


def _descend(value: Any, random: Random) -> tuple[Any, Any]:
    while True:
        key = random.choice(list(value) if isinstance(value, dict) else range(len(value)))
        if not (isinstance(value[key], dict | list) and value[key]) or random.random() < 0.2:
            return value, key
        value = value[key]


def _places(value: Any) -> Any:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inner:
        yield value, key
        if isinstance(one, dict | list):
            yield from _places(one)


def of_csv(content: bytes, random: Random) -> bytes:
    """Replace cells, or damage the bytes."""
    if random.random() < 0.3:
        return of_bytes(content, random)
    cells = content.decode().replace("\n", ",\n,").split(",")
    for _ in range(random.randint(1, 3)):
        new = str(random.choice(VALUES))[:500].encode("utf-8", "replace").decode()
        cells[random.randrange(len(cells))] = new
    return ",".join(cells).replace(",\n,", "\n").encode()


def of_gzip(content: bytes, random: Random) -> bytes:
    """Damage a gzip stream or its content, or append other streams."""
    what = random.randrange(4)
    if what == 0:
        return of_bytes(content, random)
    if what == 1:
        return content + random.choice((content, gzip.compress(b""), b"\0" * 9)) * 20
    inside = of_bytes(gzip.decompress(content), random)
    return gzip.compress(inside, random.randrange(10))


def of_npz(content: bytes, random: Random) -> bytes:
    """Damage an archive, or an array in it, repacked with a valid checksum."""
    if random.random() < 0.4:
        return of_bytes(content, random)
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            inside = old.read(name)
            if random.random() < 0.6:
                inside = _of_npy(inside, random)
            packing = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
            new.writestr(name, inside, packing, 1)
    return stream.getvalue()


def of_network(content: bytes, random: Random) -> bytes:
    """Damage the description in an exported network, or its archive."""
    if random.random() < 0.4:
        return of_npz(content, random)
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        arrays = dict(file)
    told = of_json(str(arrays["about"]).encode(), random).decode("utf-8", "replace")
    stream = io.BytesIO()
    np.savez(stream, **{**arrays, "about": np.array(told)})
    return stream.getvalue()


KINDS = ("|u1", "<f4", "<i8", "|O", "|V99999999", "<U3", "(99,99)u1", "|b1", "<M8[s]", ">i2", "|S0")


def _of_npy(content: bytes, random: Random) -> bytes:
    if random.random() < 0.3:
        return of_bytes(content, random)
    start = content.index(b"}") + 1
    shape = random.choice(("()", "(9,)", "(9, 1, 6, 5)", "(-1, 6, 5)", f"(2**{9},)"))
    shape = random.choice((shape, f"({2**62}, 1, 6, 5)", "(0, 1, 6, 5)", "(True, 6)", "((" * 400))
    order = random.choice(("True", "False", "3"))
    kind = random.choice(KINDS)
    head = f"{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    body = content[(start + 63) // 64 * 64 :]
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + body


def of_safetensors(content: bytes, random: Random) -> bytes:
    """Damage a weights file, or only its header, with a valid length."""
    if random.random() < 0.4:
        return of_bytes(content, random)
    (length,) = struct.unpack("<Q", content[:8])
    header = of_json(content[8 : 8 + length], random)
    return struct.pack("<Q", len(header)) + header + content[8 + length :]


def of_picture(content: bytes, random: Random) -> bytes:
    """Damage a picture, or a chunk of a PNG, with a valid checksum."""
    if random.random() < 0.5 or not content.startswith(b"\x89PNG"):
        return of_bytes(content, random)
    parts, at = [content[:8]], 8
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        at += length + 12
        if random.random() < 0.3:
            body = of_bytes(body, random)
        if random.random() < 0.1:
            kind = random.choice((b"tEXt", b"zTXt", b"iCCP", b"PLTE", b"acTL", b"fcTL", b"tRNS"))
        sealed = struct.pack(">I", zlib.crc32(kind + body))
        parts += [struct.pack(">I", len(body)), kind, body, sealed]
    return b"".join(parts)
