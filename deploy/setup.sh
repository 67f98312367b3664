#!/bin/sh
# Registers the Debezium connectors and creates the index; may run again at any time.
set -eu

ask() { curl --silent --show-error --fail-with-body --retry 20 --retry-delay 2 --retry-all-errors "$@"; echo; }

for file in "$(dirname "$0")"/debezium/*.json; do
  name=$(basename "$file" .json)
  ask -X PUT -H 'Content-Type: application/json' --data @"$file" "$CONNECT_URL/connectors/$name/config"
done

if ! curl --silent --fail -H "Api-Key: $PINECONE_API_KEY" "$PINECONE_URL/indexes/shop"; then
  ask -X POST -H "Api-Key: $PINECONE_API_KEY" -H 'Content-Type: application/json' \
    -H 'X-Pinecone-Api-Version: 2025-01' --data '{
      "name": "shop", "dimension": 384, "metric": "cosine",
      "spec": {"serverless": {"cloud": "aws", "region": "us-east-1"}}
    }' "$PINECONE_URL/indexes"
fi
