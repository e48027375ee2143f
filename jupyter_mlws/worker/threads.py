"""How the threads of numerical libraries behave in a job's kernel, unless the user says otherwise."""

from __future__ import annotations

from typing import Final

RESTING: Final = {"OPENBLAS_THREAD_TIMEOUT": "22"}
"""OpenBLAS's threads wait for the next call with the CPU in their hands: 2^26 clock cycles if nothing is said,
some 25 ms after each small product, of a CPU that other jobs could use. 2^22 are 2 ms: calls that follow one
another still find them awake."""
