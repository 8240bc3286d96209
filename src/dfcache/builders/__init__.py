"""Driving the user's own builder by its documented command line."""
