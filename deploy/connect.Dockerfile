# Kafka Connect with Debezium and with Confluent's Avro converter, which Debezium's own image lacks.
FROM quay.io/debezium/connect:3.6.0.Final AS debezium

FROM confluentinc/cp-kafka-connect:8.3.1
COPY --from=debezium /kafka/connect/debezium-connector-postgres \
    /usr/share/confluent-hub-components/debezium-connector-postgres
COPY --from=debezium /kafka/connect/debezium-connector-mysql \
    /usr/share/confluent-hub-components/debezium-connector-mysql
