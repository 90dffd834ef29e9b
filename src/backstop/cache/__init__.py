"""One cache for every reader: in process, then Redis, then the slate itself; what is published is pushed into it."""
