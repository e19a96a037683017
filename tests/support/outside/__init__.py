"""Programs that others wrote, and what stands between them and ours."""
