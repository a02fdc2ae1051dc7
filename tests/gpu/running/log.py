"""log.txt: what the programs of a visit printed, at most so much of each and of all, beginning and end."""

import errno
import os
import re
import shlex

OF_A_PROGRAM = 64 << 10  # bytes of its beginning, and as many of its end
OF_ALL = 8 << 20
UNPRINTABLE = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]+")


class Log:
    """Errors while writing end the log, not the visit."""

    def __init__(self, path, say):
        self._say, self._room, self._file = say, OF_ALL, None
        self._left, self._tail, self._lost = 0, b"", 0
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error):
        if self._room > 0:
            self._say(f"log.txt is not written from here on ({error.strerror})")
        self._room = 0

    def drop(self):
        """Empties it, for the sake of the report. True if that made room."""
        try:
            size = os.fstat(self._file).st_size if self._file is not None else 0
            if size:
                os.ftruncate(self._file, 0)
                self._give_up(OSError(errno.ENOSPC, "the report needs its room"))
            return size > 0
        except OSError:
            return False

    def _write(self, data):
        if self._room <= 0:
            return
        data = data[:self._room]
        self._room -= len(data)
        try:
            while data:
                data = data[os.write(self._file, data):]
            if self._room <= 0:
                os.write(self._file, b"\n(the log is full)\n")
        except OSError as error:
            self._give_up(error)

    def begin(self, command):
        text = shlex.join(str(part) for part in command)
        self._write(("$ " + (text if len(text) < 2000 else text[:2000] + " ...") + "\n").encode(errors="replace"))
        self._left, self._tail, self._lost = OF_A_PROGRAM, b"", 0

    def add(self, data):
        data = UNPRINTABLE.sub(b"?", data)
        now, later = data[:self._left], data[self._left:]
        self._left -= len(now)
        if now:
            self._write(now)
        if later:
            self._tail += later
            if len(self._tail) > 2 * OF_A_PROGRAM:
                self._lost += len(self._tail) - OF_A_PROGRAM
                self._tail = self._tail[-OF_A_PROGRAM:]

    def end(self, how):
        if self._lost:
            self._write(f"\n... {self._lost} bytes left out ...\n".encode())
        if self._tail:
            self._write(self._tail)
        self._write(f"\n(it {how})\n\n".encode())
        self._tail, self._lost = b"", 0
