"""Between the visit and each program it starts stands a warden: a fork of the visit that does nothing but wait.

A program may start others (compute-sanitizer does), and those may leave its session and process group. So the
warden is their "subreaper": whatever loses its parent becomes the warden's child and is found. It kills all of them
- when the program has ended, so that two processes never share the GPU;
- on SIGTERM, which the visit sends to end a program, and the kernel (PR_SET_PDEATHSIG) when the visit dies, of
  SIGKILL too. So nothing outlives a visit.
It ends when all of them are gone, and then says on a pipe how the program ended: "exit 1", "signal 11" or
"exec No such file or directory"; before that, "pid 123".
"""

import ctypes
import errno
import os
import resource
import signal

SET_DEATH_SIGNAL, SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_libc = ctypes.CDLL(None, use_errno=True)


def prctl(option, value):
    """True if the kernel did it."""
    return _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) == 0


def _parents():
    """{pid: its parent's} of all processes that can be seen."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    # The command's name stands in brackets and may hold anything.
                    found[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                pass  # gone meanwhile
    return found


def descendants(ancestor):
    """Children, their children and so on."""
    try:
        parents = _parents()
    except OSError:
        return []
    found, level = [], {ancestor}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level and pid not in found}
        found += level
    return found


def _kill_all(program):
    for kill, pid in [(os.killpg, program)] + [(os.kill, pid) for pid in descendants(os.getpid())]:
        try:
            kill(pid, signal.SIGKILL)
        except OSError:
            pass


def _reap(program, ended):
    """(whether any child is left, the program's wait status or None)."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False, ended
        if pid == 0:
            return True, ended
        if pid == program:
            ended = status


def _watch(program, visit):
    """The program's wait status, when it and all that it started are gone."""
    ended, told, any_left = None, False, True
    while any_left:
        got = signal.sigtimedwait(WATCHED, 0.02 if told or ended is not None else 1.0)
        told = told or (got is not None and got.si_signo != signal.SIGCHLD) or os.getppid() != visit
        any_left, ended = _reap(program, ended)
        if any_left and (told or ended is not None):
            _kill_all(program)
    return ended


def _close_all_but(kept):
    try:
        numbers = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        numbers = range(4096)
    for number in numbers:
        if number not in kept:
            try:
                os.close(number)
            except OSError:
                pass


def _execute(command, environment, folder, standard_input, output, failure):
    """In the program's process: becomes the program, or says on `failure` why not. Never returns."""
    try:
        os.setsid()
        prctl(SET_DEATH_SIGNAL, signal.SIGKILL)  # of the warden
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            if signal.getsignal(number) not in (signal.SIG_DFL, None):
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # gigabytes of a process with a GPU's address space
        os.dup2(standard_input, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(folder)
        os.execvpe(command[0], command, environment)
    except BaseException as error:  # pylint: disable=broad-except
        os.write(failure, (getattr(error, "strerror", None) or str(error)).encode(errors="replace")[:200])
    finally:
        os._exit(127)


def start(command, environment, folder, standard_input, output, status):
    """Forks the warden and, from it, the program; returns the warden's process id. `output` and `status` are the
    writing ends of pipes, which the caller closes on its side."""
    visit = os.getpid()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    try:
        warden = os.fork()
        if warden == 0:
            _stand_guard(visit, command, environment, folder, standard_input, output, status)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return warden


def _stand_guard(visit, command, environment, folder, standard_input, output, status):
    """The warden's whole life. Never returns; signals are blocked, so that the visit's handlers do not run here."""
    try:
        os.setsid()
        prctl(SET_DEATH_SIGNAL, signal.SIGTERM)
        prctl(SET_CHILD_SUBREAPER, 1)
        if os.getppid() != visit:  # it died before it was watched
            os._exit(1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        told, failure = os.pipe()
        program = os.fork()
        if program == 0:
            _execute(command, environment, folder, standard_input, output, failure)
        os.write(status, b"pid %d\n" % program)
        _close_all_but({told, status})
        why = os.read(told, 200)  # empty once it has become the program
        ended = _watch(program, visit)
        if why:
            os.write(status, b"exec " + why)
        elif ended is not None:
            kind = "signal" if os.WIFSIGNALED(ended) else "exit"
            os.write(status, f"{kind} {os.WTERMSIG(ended) if kind == 'signal' else os.WEXITSTATUS(ended)}".encode())
    except OSError as error:
        if error.errno != errno.EPIPE:  # else the visit is gone
            os.write(status, f"exec {error}".encode())
    finally:
        os._exit(0)
