"""What a fetch of a consumer may take, and in which order it is handed over."""
