"""Kinds of training, one file each: a module here with a `RECIPE` is found by `worker.recipes.registry`."""
