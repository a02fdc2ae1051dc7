"""What a program or shared library asks of others, read from its file: ELF, 64 bits, little-endian (System V ABI,
chapters 4 and 5; the versions' records: LSB Core, "Symbol Versioning")."""

import struct

LOAD, DYNAMIC = 1, 2
END, NEEDED, STRINGS, VERSIONS, VERSION_COUNT = 0, 1, 5, 0x6FFFFFFE, 0x6FFFFFFF


class Elf:
    """needed: names of libraries. versions: (library, version), as ("libc.so.6", "GLIBC_2.34")."""

    def __init__(self, path):
        """Errors: ValueError for a file of another kind."""
        with open(path, "rb") as file:
            self.bytes = file.read()
        if self.bytes[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path}: expected a 64-bit little-endian ELF file, got {self.bytes[:4]!r}")
        self.needed, self.versions = [], []
        try:
            self._read()
        except (struct.error, IndexError) as error:
            raise ValueError(f"{path}: the ELF file is damaged: {error}") from error
        del self.bytes

    def _read(self):
        offset, = struct.unpack_from("<Q", self.bytes, 32)
        size, count = struct.unpack_from("<HH", self.bytes, 54)
        headers = [struct.unpack_from("<IIQQQQ", self.bytes, offset + i * size) for i in range(count)]
        # type, flags, place in the file, address, physical address, bytes in the file
        self.loaded = [(address, place, length) for kind, _, place, address, _, length in headers if kind == LOAD]
        tables = [place for kind, _, place, _, _, _ in headers if kind == DYNAMIC]
        if not tables:  # linked statically
            return
        entries, place = [], tables[0]
        while True:
            tag, value = struct.unpack_from("<qQ", self.bytes, place)
            if tag == END:
                break
            entries.append((tag, value))
            place += 16
        values = dict(entries)
        self.strings = self._place(values[STRINGS]) if STRINGS in values else 0
        self.needed = [self._text(value) for tag, value in entries if tag == NEEDED]
        if VERSIONS in values:
            self._read_versions(self._place(values[VERSIONS]), values[VERSION_COUNT])

    def _read_versions(self, place, count):
        for _ in range(count):
            _, symbols, library, first, following = struct.unpack_from("<HHIII", self.bytes, place)
            one = place + first
            for _ in range(symbols):
                _, _, _, name, step = struct.unpack_from("<IHHII", self.bytes, one)
                self.versions.append((self._text(library), self._text(name)))
                one += step
            place += following

    def _place(self, address):
        for begin, place, length in self.loaded:
            if begin <= address < begin + length:
                return place + address - begin
        raise IndexError(f"address {address:#x} lies in no segment")

    def _text(self, offset):
        begin = self.strings + offset
        return self.bytes[begin:self.bytes.index(b"\0", begin)].decode()
