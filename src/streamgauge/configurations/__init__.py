"""Where workers get the configurations of models from."""
