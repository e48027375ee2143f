"""How the threads of numerical libraries behave in jobs on this machine, unless the user says otherwise."""

from __future__ import annotations

from typing import Final

RESTING: Final = {"OPENBLAS_THREAD_TIMEOUT": "22"}
"""OpenBLAS's threads wait for the next call with a CPU in their hands: for 2^26 clock cycles if nothing is
said, 25 ms after each small product, in which another job could use it. 2^22 are 2 ms: calls that follow one
another still find them awake."""
