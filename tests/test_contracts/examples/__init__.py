"""Settings with which every class of a registry can be built in a test.

A table has an entry for each class that cannot be built from its defaults; a test walks the registry and
fails for a class that is in none, and for an entry of a class that is no more.
"""
