"""HTTP: how an application is built, who may call it, and what bounds a caller."""
