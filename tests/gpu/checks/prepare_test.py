"""`visit prepare` on a small project in place of Sluice: what it packs, what it refuses and by which name, what it says
of the rehearsal. Exit code 77: a tool is missing here."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOM = HERE.parent
CXX = os.environ.get("CXX", "c++")
BOUNDED = ["gpu_repeated_passes", "kernels_persistent_test"]  # of the stub project's programs
missing = [tool for tool in ("git", "cmake", "ninja", "strip", "ldd", CXX) if shutil.which(tool) is None]
if missing:
    print(f"SKIPPED: no {', '.join(missing)} here")
    sys.exit(77)


def git(root, *arguments):
    subprocess.run(["git", "-C", root, "-c", "user.name=a", "-c", "user.email=a@b", *arguments], check=True,
                   capture_output=True)


class Prepare(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory()
        cls.whole = pathlib.Path(cls.work.name) / "whole"  # configured and built once, by prepare itself
        shutil.copytree(HERE / "stub_project", cls.whole)
        scripts = cls.whole / "tests" / "gpu"
        shutil.copy2(ROOM / "visit", scripts / "visit")
        for name in ("running", "preparing", "keeping"):
            shutil.copytree(ROOM / name, scripts / name)
        shutil.move(cls.whole / "run.py", scripts / "running" / "run.py")
        (cls.whole / ".gitignore").write_text("build*/\n.carry/\n__pycache__/\n")
        git(cls.whole, "init", "-q")
        git(cls.whole, "add", "-A")
        git(cls.whole, "commit", "-q", "-m", "All of it")
        cls.first = cls.prepare(cls.whole, no_build=False)
        cls.pack_of_first = pathlib.Path(cls.work.name) / "first.tar.xz"
        if (cls.whole / ".carry" / "visit.tar.xz").exists():
            shutil.copy2(cls.whole / ".carry" / "visit.tar.xz", cls.pack_of_first)

    @classmethod
    def tearDownClass(cls):
        cls.work.cleanup()

    @staticmethod
    def prepare(root, *options, no_build=True, run=None, most_packed=None):
        """`most_packed`: bytes in place of the 40 MiB, which take half a minute to pack where they are random."""
        environment = {**os.environ, "CXX": CXX, "STUB_RUN": json.dumps(run or {}), "LC_ALL": "C"}
        for key in ("LD_LIBRARY_PATH", "GTEST_FILTER", "MAKEFLAGS"):
            environment.pop(key, None)
        code = "import runpy, sys; sys.path.insert(0, sys.argv[1]); from preparing import pack; "
        code += f"pack.MOST_PACKED = {most_packed or 'pack.MOST_PACKED'}; del sys.argv[:1]; sys.argv[0] += '/visit'; "
        code += "runpy.run_path(sys.argv[0], run_name='__main__')"
        command = [sys.executable, "-B", "-c", code, root / "tests" / "gpu", "prepare"]
        return subprocess.run([*command, *(["--no-build"] if no_build else []), *options], capture_output=True, text=True,
                              env=environment, check=False)

    def pack(self, *options):
        return self.prepare(self.whole, "--no-rehearsal", *options)

    def refused(self, done, *words):
        self.assertEqual(done.returncode, 1, done)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertNotIn("Run A", done.stdout)

    def changed(self, path, change):
        """A file of the build with other bytes until the test ends, its time kept."""
        data, stat = path.read_bytes(), path.stat()

        def restore():
            path.write_bytes(data)
            os.chmod(path, stat.st_mode)
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

        self.addCleanup(restore)
        path.write_bytes(change(data))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        return path

    def built(self, name, folder="."):
        return self.whole / "build" / "visit" / folder / "bin" / name

    @staticmethod
    def spins(place, name):
        """Whether a packed program is a bounded one, by its own word."""
        done = subprocess.run([place / "bin" / name], capture_output=True, text=True, check=True,
                              env={"LD_LIBRARY_PATH": str(place / "lib")})
        return done.stdout.split()[-1]

    def compiled(self, name, *arguments):
        """Another program in the place of one that is built."""
        path = self.built(name)
        self.changed(path, lambda data: data)
        stat = path.stat()
        subprocess.run([CXX, *(str(one) for one in arguments), "-o", path], check=True, capture_output=True)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    # --- What it makes ---

    def test_packs_what_a_visit_runs(self):
        self.assertEqual(self.first.returncode, 0, self.first.stdout + self.first.stderr)
        with tempfile.TemporaryDirectory() as place:
            with tarfile.open(self.pack_of_first) as tar:
                tar.extractall(place, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
            place = pathlib.Path(place)
            programs = {path.name for path in (place / "bin").iterdir()}
            # engine_plain_test has no case for a GPU, gpu_stub is none of a visit's.
            self.assertEqual(programs, {"sluice", "sluice-bench", "predictions", "gpu_probe", "gpu_repeated_passes",
                                        "kernels_stub_test", "kernels_persistent_test"})
            self.assertEqual({name: self.spins(place, name) for name in programs - {"gpu_probe"}},
                             {name: "bounded" if name in BOUNDED else "free" for name in programs - {"gpu_probe"}})
            self.assertEqual([path.name for path in (place / "lib").iterdir()], ["libbeside.so"])
            manifest = json.loads((place / "manifest.json").read_text())
            head = subprocess.run(["git", "-C", self.whole, "rev-parse", "HEAD"], capture_output=True, text=True,
                                  check=True).stdout.strip()
            self.assertEqual((manifest["commit"], manifest["dirty"], manifest["cudnn"]), (head, False, True))
            self.assertEqual((manifest["architectures"], manifest["bounded"]), ("90-real", BOUNDED))
            self.assertRegex(manifest["built"], r"^\d{4}-\d\d-\d\dT")
            for name in programs:
                data = (place / "bin" / name).read_bytes()
                self.assertEqual(manifest["programs"][name],
                                 {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)})

    def test_without_bounded_spins(self):
        done = self.pack("--no-bounded")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("none with bounded spins", done.stdout)
        with tempfile.TemporaryDirectory() as place, tarfile.open(self.whole / ".carry" / "visit.tar.xz") as tar:
            tar.extractall(place, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
            place = pathlib.Path(place)
            self.assertEqual(json.loads((place / "manifest.json").read_text())["bounded"], [])
            self.assertEqual({self.spins(place, name) for name in BOUNDED}, {"free"})

    def test_prints_two_runs(self):
        text = self.first.stdout
        runs = re.findall(r"^Run ([AB]): bring along \.carry, time limit (\d+) s\n  (.+)$", text, re.MULTILINE)
        self.assertEqual([(name, seconds) for name, seconds, _ in runs], [("A", "240"), ("B", "420")], text)
        self.assertIn("visit run first --seconds 230 --out", runs[0][2])
        self.assertIn("visit run rest --seconds", runs[1][2])
        self.assertIn("visit run speed --seconds", runs[1][2])
        for _, _, command in runs:
            self.assertLess(len(command), 2000)
            self.assertEqual(subprocess.run(["bash", "-n", "-c", command], check=False).returncode, 0, command)

    def test_rehearses_every_stage(self):
        stages = re.findall(r"^rehearsal  (\w+): passed: 1 passed", self.first.stdout, re.MULTILINE)
        self.assertEqual(stages, ["first", "rest", "speed", "deepbench", "ncu"])

    def test_a_rehearsal_that_fails(self):
        done = self.prepare(self.whole, "--dry", run={"rest": "failed"})
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("rehearsal  rest: FAILED: 0 passed, 1 failed", done.stdout)
        self.assertIn("one rest/case: a reason", done.stdout)
        self.assertIn("rehearsal  ncu: passed", done.stdout)  # the others are rehearsed all the same
        done = self.prepare(self.whole, "--dry", "--stages", "speed", run={"speed": "crash"})
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("speed: FAILED, no report", done.stdout)
        self.assertIn("garbage", (self.whole / "build" / "visit" / "rehearsal" / "speed" / "printed.txt").read_text())

    def test_a_rehearsal_that_is_cut_short(self):
        done = self.prepare(self.whole, "--dry", "--stages", "first,ncu", run={"first": "cut"})
        self.assertEqual(done.returncode, 3, done)
        self.assertIn("rehearsal  first: cut short: 0 passed, 0 failed, 0 skipped, 1 cut", done.stdout)

    def test_a_failed_rehearsal_prints_no_commands(self):
        done = self.prepare(self.whole, run={"first": "failed"})
        self.assertEqual(done.returncode, 1, done)
        self.assertNotIn("Run A", done.stdout)

    # --- What it refuses ---

    def test_a_missing_program(self):
        for name, folder in (("gpu_probe", "."), ("kernels_persistent_test", "bounded")):
            path = self.built(name, folder)
            path.rename(path.with_name("away"))
            try:
                done = self.pack()
            finally:
                path.with_name("away").rename(path)
            self.refused(done, "missing", name, str(path.parent.parent))

    def test_a_missing_build(self):
        folder = self.whole / "build" / "visit" / "bounded"
        folder.rename(folder.with_name("away"))
        self.addCleanup(folder.with_name("away").rename, folder)
        self.refused(self.pack(), "bounded is no configured build folder", "--no-bounded")

    def test_a_stale_program(self):
        source = self.whole / "probe.cpp"
        stat = source.stat()
        self.addCleanup(os.utime, source, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        os.utime(source, ns=(stat.st_atime_ns, self.built("gpu_probe").stat().st_mtime_ns + 10**10))
        done = self.pack()
        self.refused(done, "stale", "gpu_probe")
        self.assertNotIn("sluice-bench", done.stderr)

    def test_a_stale_bounded_program(self):
        path = self.built("gpu_repeated_passes", "bounded")
        stat = path.stat()
        self.addCleanup(os.utime, path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        os.utime(path, ns=(stat.st_atime_ns, 10**18))
        self.refused(self.pack(), "stale in", "bounded", "gpu_repeated_passes; build the target gpu_visit_bounded")

    def test_without_cudnn(self):
        cache = self.whole / "build" / "visit" / "CMakeCache.txt"
        self.changed(cache, lambda data: data.replace(b"SLUICE_CUDNN:UNINITIALIZED=ON", b"SLUICE_CUDNN:STRING=OFF"))
        self.refused(self.pack(), "cuDNN is off")
        self.changed(cache, lambda data: re.sub(rb"(SLUICE_CUDNN_HEADERS:PATH)=.*", rb"\1=NOTFOUND",
                                                data.replace(b"SLUICE_CUDNN:STRING=OFF", b"SLUICE_CUDNN:STRING=AUTO")))
        self.refused(self.pack(), "cuDNN is off", "headers")

    def test_other_options(self):
        for folder, key, other in ((".", "SLUICE_BOUNDED_SPINS", "ON"), ("bounded", "SLUICE_BOUNDED_SPINS", "OFF"),
                                   (".", "CMAKE_BUILD_TYPE", "Debug"), ("bounded", "CMAKE_BUILD_TYPE", "Debug"),
                                   (".", "CMAKE_CUDA_ARCHITECTURES", "80"),
                                   ("bounded", "CMAKE_CUDA_ARCHITECTURES", "90-real;100-real")):
            cache = self.whole / "build" / "visit" / folder / "CMakeCache.txt"
            data = cache.read_bytes()
            self.changed(cache, lambda data: re.sub(rf"({key}:\w+)=.*".encode(), rf"\1={other}".encode(), data))
            self.refused(self.pack(), f"{key} is '{other}' in {cache.parent}")
            cache.write_bytes(data)

    def test_symbols_that_are_too_new(self):
        work = pathlib.Path(self.work.name)
        (work / "new.map").write_text("GLIBC_2.99 { global: *; };\n")
        (work / "new.c").write_text("double of_tomorrow(void) { return 1; }\n")
        (work / "main.c").write_text("double of_tomorrow(void); int main(void) { return of_tomorrow() == 2; }\n")
        subprocess.run([CXX, "-x", "c", "-shared", "-fPIC", work / "new.c", f"-Wl,--version-script={work / 'new.map'}",
                        "-Wl,-soname,libm.so.6", "-o", work / "libnew.so"], check=True)
        self.compiled("gpu_probe", "-x", "c", work / "main.c", "-x", "none", work / "libnew.so")
        self.refused(self.pack(), "gpu_probe wants GLIBC_2.99 of libm.so.6, newer than GLIBC_2.39")

    def test_a_library_that_is_nowhere(self):
        library = pathlib.Path(self.work.name) / "libnowhere.so"
        subprocess.run([CXX, "-shared", "-fPIC", self.whole / "beside.cpp", "-o", library], check=True)
        self.compiled("gpu_probe", self.whole / "probe.cpp", library)
        library.unlink()
        self.refused(self.pack(), "gpu_probe needs", "libnowhere.so")

    def test_a_library_that_is_two(self):
        self.changed(self.whole / "build" / "visit" / "bounded" / "lib" / "libbeside.so", lambda data: data + b"more")
        self.refused(self.pack(), "libbeside.so", "they differ")

    def test_a_library_from_elsewhere(self):
        """One that is opened when the program runs, and that no bare machine has."""
        work = pathlib.Path(self.work.name)
        library = work / "libelsewhere.so"
        subprocess.run([CXX, "-shared", "-fPIC", self.whole / "beside.cpp", "-o", library], check=True)
        (work / "opens.cpp").write_text(f'#include <dlfcn.h>\nint main() {{ return dlopen("{library}", RTLD_NOW) == nullptr; }}\n')
        self.compiled("gpu_probe", work / "opens.cpp", "-ldl")
        self.refused(self.pack(), "gpu_probe does not start with the pack's libraries alone", "libelsewhere.so")

    def test_a_program_that_does_not_start(self):
        work = pathlib.Path(self.work.name)
        (work / "ends.cpp").write_text("#include <cstdio>\nint main() { std::fputs(\"no such thing\\n\", stderr); return 4; }\n")
        self.compiled("predictions", work / "ends.cpp")
        self.refused(self.pack(), "predictions does not start", "no such thing")

    def test_a_file_that_is_no_program(self):
        self.changed(self.built("gpu_probe"), lambda data: b"#!/bin/sh\n")
        self.refused(self.pack(), "gpu_probe")

    def test_too_large_a_pack(self):
        more = os.urandom(2 << 20)
        for folder in (".", "bounded"):
            self.changed(self.whole / "build" / "visit" / folder / "lib" / "libbeside.so", lambda data: data + more)
        before = (self.whole / ".carry" / "visit.tar.xz").read_bytes()
        done = self.prepare(self.whole, "--no-rehearsal", most_packed=1 << 20)
        self.refused(done, "the pack has 2.0 MiB, more than 1")
        self.assertIn("MOST_PACKED = 40 << 20", (ROOM / "preparing" / "pack.py").read_text())
        self.assertEqual((self.whole / ".carry" / "visit.tar.xz").read_bytes(), before)
        self.assertEqual([path.name for path in (self.whole / ".carry").iterdir()], ["visit.tar.xz"])

    def test_too_much_to_travel(self):
        large = self.whole / "large.bin"  # neither tracked nor ignored
        self.addCleanup(large.unlink)
        with open(large, "wb") as file:
            file.truncate(62 << 20)
        self.refused(self.pack("--dirty"), "would travel, more than 62")

    def test_files_that_differ_from_the_commit(self):
        other = self.whole / "other.txt"
        other.write_text("not committed\n")
        self.addCleanup(other.unlink)
        self.refused(self.pack(), "other.txt", "--dirty")
        done = self.pack("--dirty")
        self.assertEqual(done.returncode, 0, done)
        with tarfile.open(self.whole / ".carry" / "visit.tar.xz") as tar:
            self.assertTrue(json.load(tar.extractfile("manifest.json"))["dirty"])

    def test_wrong_usage(self):
        for options in (["--stages", "frist"], ["--dry", "--no-rehearsal"], ["--run-b", "5"]):
            self.assertEqual(self.prepare(self.whole, *options).returncode, 2, options)


if __name__ == "__main__":
    unittest.main()
