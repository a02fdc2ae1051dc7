"""builds.py: a pack is unpacked once and whole."""

import json
import os
import tarfile
import unittest

from running import builds

from .stub_fixture import Fixture


class Packs(Fixture):
    """builds.py: where the programs come from."""

    def setUp(self):
        super().setUp()
        self.pack = self.folder / "carry" / "visit.tar.xz"
        self.pack.parent.mkdir()
        self.write("first")

    def write(self, word):
        (self.build / "manifest.json").write_text(json.dumps({"commit": word}))
        with tarfile.open(self.pack, "w:xz") as tar:
            for name in ("manifest.json", "bin"):
                tar.add(self.build / name, arcname=name)

    def find(self, stop=lambda: ""):
        return builds.find(self.pack, self.folder, False, stop)

    def test_it_is_unpacked_once(self):
        found = self.find()
        self.assertEqual(found.manifest, {"commit": "first"})
        self.assertTrue(os.access(found.program("kernels_persistent_test"), os.X_OK))
        stub = found.folder / "mark"
        stub.write_text("still here")
        self.find()
        self.assertTrue(stub.exists())
        self.write("second")
        self.assertEqual(self.find().manifest, {"commit": "second"})
        self.assertFalse(stub.exists())
        self.assertEqual(sorted(os.listdir(self.pack.parent)), ["visit", "visit.tar.xz"])

    def test_half_of_one_is_none(self):
        whole = self.pack.read_bytes()
        for half in (whole[:len(whole) // 2], b"nonsense", b""):
            self.pack.write_bytes(half)
            with self.assertRaisesRegex(builds.NoBuild, "cannot be unpacked"):
                self.find()
        self.assertEqual(os.listdir(self.pack.parent), ["visit.tar.xz"])

    def test_unpacking_can_be_ended(self):
        with self.assertRaisesRegex(builds.NoBuild, "was not unpacked: no time left"):
            self.find(lambda: "no time left")

    def test_libraries_of_the_pack_come_first(self):
        environment = self.find().environment(self.folder)
        self.assertEqual(environment["LD_LIBRARY_PATH"].split(":")[0], str(self.pack.parent / "visit" / "lib"))
        self.assertEqual(environment["SLUICE_SOURCE_DIR"], str(self.folder))

    def test_a_folder_without_programs(self):
        with self.assertRaisesRegex(builds.NoBuild, "expected a folder with programs"):
            builds.find(self.folder, self.folder, False)


if __name__ == "__main__":
    unittest.main()
