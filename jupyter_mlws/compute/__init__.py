"""Where workers come from: what a compute holds, how a worker is started, reached and ended."""
