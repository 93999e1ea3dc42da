"""``streamgauge doctor``: whether all around the models is in order, one check a file."""
