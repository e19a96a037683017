"""The desk: an authority's web pages. It holds nothing: it asks the other services with the token of the one who looks."""
