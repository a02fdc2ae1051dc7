#!/usr/bin/env python3
"""Registers and shared memory of the kernels in an object file that nvcc wrote, as ptxas left them in
its ELF for one architecture. Nothing but Python is needed: cuobjdump is not in every toolkit.

kernel_resources.py OBJECT SM: a line a kernel: mangled name, registers, stack bytes, spilled bytes,
shared bytes, apart by tabs. Stack and spilled bytes are 0. Exit code 1, and no line: the object does
not tell all. It has no ELF for SM, or a compressed one, or a kernel has a stack: how much was spilled
to it only the compiler's report says.
"""
import struct
import sys

# A fat binary is a header (magic, version, header bytes, bytes that follow), then entries: kind,
# version, header bytes, payload bytes, and in the header the architecture and flags.
FATBIN = struct.Struct("<IHHQ")
FATBIN_MAGIC = 0xBA55ED50
ENTRY = struct.Struct("<HHIQ")
ELF_ENTRY = 2  # 1 is PTX
# Attributes of .nv.info, of which those with a size and two numbers say something of a function.
SIZED = 0x04
REGISTERS, FRAME = 0x2F, 0x11
KERNEL_SYMBOL = 0x10  # in a symbol's st_other; functions that kernels call lack it
# Bytes of a block's shared memory that the system keeps from compute capability 8.0 on: in the ELF a
# part of a kernel's own, in the compiler's report apart.
RESERVED_SHARED = 1024


def elves(data, sm):
    """The ELF files for an architecture in an object file's fat binaries."""
    magic = struct.pack("<I", FATBIN_MAGIC)
    at = data.find(magic)
    while at >= 0:
        _, _, header, size = FATBIN.unpack_from(data, at)
        place, end = at + header, at + header + size
        while place < end:
            kind, _, header, payload = ENTRY.unpack_from(data, place)
            (architecture,) = struct.unpack_from("<I", data, place + 28)
            start = place + header
            if kind == ELF_ENTRY and architecture == sm and data[start:start + 4] == b"\x7fELF":
                yield data[start:start + payload]
            place = start + payload
        at = data.find(magic, end)


class Elf:
    def __init__(self, data):
        self.data = data
        (offset,) = struct.unpack_from("<Q", data, 0x28)
        size, count, names = struct.unpack_from("<HHH", data, 0x3A)
        headers = [struct.unpack_from("<IIQQQQIIQQ", data, offset + i * size) for i in range(count)]
        self.sections = {self.text(headers[names], header[0]): header for header in headers}

    def text(self, table, at):
        start = table[4] + at
        return self.data[start:self.data.index(b"\0", start)].decode()

    def symbol(self, index):
        """Name and st_other."""
        name, _, other = struct.unpack_from("<IBB", self.data, self.sections[".symtab"][4] + index * 24)
        return self.text(self.sections[".strtab"], name), other

    def attribute(self, wanted):
        """By symbol: the number that .nv.info has of it."""
        if ".nv.info" not in self.sections:
            return {}  # a source without kernels
        _, _, _, _, place, size, *_ = self.sections[".nv.info"]
        found, end = {}, place + size
        while place < end:
            form, kind, length = struct.unpack_from("<BBH", self.data, place)
            place += 4
            if form == SIZED:
                if kind == wanted:
                    symbol, number = struct.unpack_from("<II", self.data, place)
                    found[symbol] = number
                place += length
        return found

    def kernels(self):
        """Of each kernel: name, registers, stack bytes, shared bytes."""
        frames = self.attribute(FRAME)
        for index, registers in self.attribute(REGISTERS).items():
            name, other = self.symbol(index)
            if other & KERNEL_SYMBOL:
                shared = self.sections.get(".nv.shared." + name)
                yield name, registers, frames[index], shared[5] - RESERVED_SHARED if shared else 0


def main():
    path, sm = sys.argv[1], int(sys.argv[2])
    with open(path, "rb") as file:
        found = [Elf(data) for data in elves(file.read(), sm)]
    kernels = [kernel for elf in found for kernel in elf.kernels()]
    if not found or any(stack for _, _, stack, _ in kernels):
        return 1
    for name, registers, stack, shared in kernels:
        print(name, registers, stack, 0, shared, sep="\t")
    return 0


if __name__ == "__main__":
    sys.exit(main())
