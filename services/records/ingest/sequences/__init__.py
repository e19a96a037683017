"""The numbers of each source's counter that came, and those that came twice."""
