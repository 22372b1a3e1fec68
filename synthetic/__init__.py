"""Inputs with a known answer, for tests and benchmarks: clips of flashes and clicks, damaged files, seeded weights."""
