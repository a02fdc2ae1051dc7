"""Tests of a visit's scripts: in tests/gpu, `python3 -m checks.visit_test`, prepare_test, keep_test."""
