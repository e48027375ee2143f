"""Drivers of kernels with one interface; they know nothing of jobs."""
