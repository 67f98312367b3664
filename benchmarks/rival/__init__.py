"""The main job done by Redpanda Connect beside vecsink, in the same run on the same machine."""
