"""Models and datasets in one signed file, to be carried where there is no network."""
