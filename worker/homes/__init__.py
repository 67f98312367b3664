"""Where the configs of connectors live: a folder of files, or a topic that all pods share."""
