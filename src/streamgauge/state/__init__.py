"""Where state lives: the checkpoint store and the views that others read."""
