"""Connector JSON and worker properties: read, checked, explained."""
