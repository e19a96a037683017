"""Tables about the source, for documents."""
