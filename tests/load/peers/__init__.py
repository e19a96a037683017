"""Orders' rules in stream processors that others wrote, each as its documentation shows it, for bench_peers."""
