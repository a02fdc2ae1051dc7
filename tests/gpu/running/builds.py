"""Where a visit's programs are: the pack that `visit prepare` made, unpacked once, or a folder of that form."""

import hashlib
import json
import lzma
import os
import pathlib
import shutil
import tarfile

from . import machine


class NoBuild(Exception):
    """Says what was expected, where, and what to do."""


class Build:
    """bin/, lib/ and manifest.json; a CMake build folder has the same without a manifest, and the command outside of
    bin/. `dry`: the programs of the imagined GPU, in dry/bin."""

    def __init__(self, folder, dry):
        self.folder, self.dry = pathlib.Path(folder).resolve(), dry
        self.bin = self.folder / "dry" / "bin" if dry else self.folder / "bin"
        if not self.bin.is_dir():
            hint = "; build the target gpu_visit_dry" if dry else "; see tests/gpu/visit prepare"
            raise NoBuild(f"expected a folder with programs at {self.bin}, found none{hint}")
        try:
            self.manifest = json.loads((self.folder / "manifest.json").read_text())
        except (OSError, ValueError):
            self.manifest = {}

    def program(self, name):
        """Its path, or None."""
        places = [self.bin / name] + ([] if self.dry else [self.folder / name])
        return next((path for path in places if path.is_file()), None)

    def programs(self, pattern):
        return sorted(path for path in self.bin.glob(pattern) if path.is_file())

    def environment(self, root):
        """For Sluice's own programs: the pack's libraries before the machine's, the loader's own places last."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("GTEST_", "CUDA_ON_CPU_"))}
        folders = [str(self.folder / "lib"), *filter(None, [clean.get("LD_LIBRARY_PATH")]), *machine.library_folders()]
        mine = {"LD_LIBRARY_PATH": ":".join(folders), "SLUICE_SOURCE_DIR": str(root),
                "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
        if self.dry:
            mine.update(CUDA_ON_CPU_ORDERS="1", CUDA_ON_CPU_OPEN_MEMORY="1")
        return {**clean, **mine}


def find(chosen, root, dry, stop=lambda: ""):
    """The build that --build names; by default the pack in .carry, else build/. `stop`: as Visit.must_end; unpacking
    heeds it. Errors: NoBuild."""
    if chosen:
        path = pathlib.Path(chosen)
        return Build(_unpacked(path, path.parent / "visit", stop) if path.is_file() else path, dry)
    pack = root / ".carry" / "visit.tar.xz"
    if pack.is_file() and not dry:
        return Build(_unpacked(pack, root / ".carry" / "visit", stop), dry)
    if (root / ".carry" / "visit" / "bin").is_dir() and not dry:
        return Build(root / ".carry" / "visit", dry)
    return Build(root / "build", dry)


def _digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _unpacked(pack, folder, stop):
    """`folder` with the pack's content: as it is if its stamp says so. Half an unpacking never looks like a whole
    one."""
    stamp = _digest(pack)
    try:
        if (folder / "stamp").read_text() == stamp:
            return folder
    except OSError:
        pass
    fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
    try:
        fresh.mkdir(parents=True)
        with tarfile.open(pack) as tar:
            for member in tar:
                if stop():
                    raise NoBuild(f"{pack} was not unpacked: {stop()}")
                tar.extract(member, fresh, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        inside = list(fresh.iterdir())
        top = fresh if (fresh / "bin").is_dir() or len(inside) != 1 else inside[0]
        (top / "stamp").write_text(stamp)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(top, folder)
    except (OSError, tarfile.TarError, lzma.LZMAError, EOFError) as error:
        raise NoBuild(f"{pack} cannot be unpacked: {error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder
