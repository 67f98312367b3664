"""How connectors stand, as Kafka alone can tell: it needs no worker and changes nothing."""
