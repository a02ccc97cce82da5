"""Checks of whole blocks of JSON lines by columns, for blocks in which nothing is unusual.

`look` is certain of a block or gives None: then its rows are checked one by one, which has the last word. Both give the
same, so a version does not depend on where its blocks begin.
"""
