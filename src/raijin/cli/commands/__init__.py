"""One module per command; each holds click and printing only: what is done stands in `app`."""
