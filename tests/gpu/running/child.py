"""One program under a warden: started, read without waiting for it, and ended."""

import os
import select
import signal
import tempfile
import time

from . import warden

READ_AT_ONCE = 1 << 16
PIECES_AT_ONCE = 16  # so that a program that prints without end is not the only thing looked at
LONGEST_LINE, END_OF_LINE = 1 << 18, 1 << 12
WAIT_FOR_DEATH = 10.0  # seconds after SIGKILL; what lives longer is stuck in the driver


class Lines:
    """Cuts bytes into lines of text. Bytes that are no UTF-8 are replaced. Of a line that is too long the beginning is
    given, and as a line of its own the end: a program may say how a case ended after much that it did not end."""

    def __init__(self):
        self._rest, self._begun = b"", False  # whether _rest is the end of a line whose beginning was given

    def feed(self, data):
        whole = (self._rest + data).split(b"\n")
        self._rest = whole.pop()
        if whole and self._begun:
            whole[0], self._begun = whole[0][-END_OF_LINE:], False
        if len(self._rest) > LONGEST_LINE:
            if not self._begun:
                whole.append(self._rest[:LONGEST_LINE])
            self._rest, self._begun = self._rest[-END_OF_LINE:], True
        return [line.decode(errors="replace").rstrip("\r") for line in whole]

    def end(self):
        """What stands after the last line break."""
        rest, self._rest = self._rest.decode(errors="replace"), b""
        return [rest] if rest else []


def _input_of(text):
    """A descriptor to read `text` from."""
    if not text:
        return os.open(os.devnull, os.O_RDONLY)
    try:
        number = os.memfd_create("input")
    except (OSError, AttributeError):
        number, path = tempfile.mkstemp()
        os.unlink(path)
    data = text.encode()
    while data:
        data = data[os.write(number, data):]
    os.lseek(number, 0, os.SEEK_SET)
    return number


class Child:
    """Both of its outputs are one pipe. Errors: OSError where no process can be started."""

    def __init__(self, command, environment, folder, text=None):
        self._status, status = os.pipe()
        self._output, output = os.pipe()
        given = _input_of(text)
        try:
            self._warden = warden.start([str(part) for part in command], environment, str(folder), given, output, status)
        except OSError:
            os.close(self._status)
            os.close(self._output)
            raise
        finally:
            for number in (given, output, status):
                os.close(number)
        os.set_blocking(self._output, False)
        os.set_blocking(self._status, False)
        self._poll = select.poll()
        self._poll.register(self._output, select.POLLIN)
        self._at_end = False  # of the pipe: nobody can write to it any more
        self._said = b""
        self.gone = False      # the program, and all that it started
        self.finished = False  # gone, and all that it printed was read

    def read(self, seconds):
        """What has been printed since the last time, waiting up to `seconds` for some."""
        got, was_gone = b"", self._is_gone()
        if self._at_end:
            if not was_gone:
                time.sleep(min(seconds, 0.02))
        elif self._poll.poll(0 if was_gone else seconds * 1e3):
            for _ in range(PIECES_AT_ONCE):
                try:
                    piece = os.read(self._output, READ_AT_ONCE)
                except BlockingIOError:
                    break
                if not piece:
                    self._at_end = True
                    break
                got += piece
        self.finished = was_gone and not got
        return got

    def _is_gone(self):
        if not self.gone:
            try:
                self.gone = os.waitpid(self._warden, os.WNOHANG)[0] != 0
            except ChildProcessError:
                self.gone = True
        return self.gone

    def _all_said(self):
        try:
            while piece := os.read(self._status, 4096):
                self._said += piece
        except (BlockingIOError, ValueError, OSError):
            pass
        return self._said.decode(errors="replace").splitlines()

    def kill(self, wait=WAIT_FOR_DEATH):
        """False if something of it still lives after `wait` seconds."""
        begun = time.monotonic()
        self._signal(signal.SIGTERM)
        while not self._is_gone() and time.monotonic() - begun < wait:
            time.sleep(0.02)
            if time.monotonic() - begun > 0.8 * wait:  # a warden that does not do its duty
                for pid in warden.descendants(self._warden):
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except OSError:
                        pass
        return self.gone

    def _signal(self, number):
        if not self._is_gone():
            try:
                os.kill(self._warden, number)
            except OSError:
                pass

    @property
    def ended(self):
        """Once gone: "exit 0", "signal 11", "exec <why it did not start>", or "" where not even that is known."""
        return next((line for line in self._all_said() if not line.startswith("pid ")), "")

    def close(self):
        self.ended  # pylint: disable=pointless-statement
        os.close(self._output)
        os.close(self._status)
        self._status = -1


def in_words(ended):
    """How a program ended, for people."""
    kind, _, what = ended.partition(" ")
    if kind == "signal":
        try:
            return f"died of {signal.Signals(int(what)).name}"
        except ValueError:
            return f"died of signal {what}"
    if kind == "exit":
        return f"ended with code {what}"
    return f"could not be started: {what}" if kind == "exec" else "ended in an unknown way"
