"""Which numbers of each source's counter came, and which came twice."""
