"""The desk: an authority's web pages. It stores nothing: it asks the other services with the viewer's token."""
