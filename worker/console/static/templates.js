// Beginnings of configurations: what is between < and > is to be filled in.

const converters = {
  "key.converter": "avro",
  "key.converter.schema.registry.url": "http://localhost:8081",
  "value.converter": "avro",
  "value.converter.schema.registry.url": "http://localhost:8081",
};
const letters = (name) => ({
  "errors.tolerance": "all",
  "errors.deadletterqueue.topic.name": `${name}-dlq`,
});
const common = (name) => ({
  "name": name,
  "connector.class": "EmbeddingSink",
  "tasks.max": "2",
  "topics": "shop.public.products",
  ...converters,
  "document.fields": "Product: name, Category: category, description",
  "metadata.fields": "category, price",
});

export const TEMPLATES = {
  "Cohere to Pinecone": {
    ...common("products"),
    "embedder": "cohere",
    "embedder.model": "embed-v4.0",
    "embedder.api.key": "${env:COHERE_API_KEY}",
    "store": "pinecone",
    "store.index": "products",
    "store.api.key": "${env:PINECONE_API_KEY}",
    "budget.usd.per.day": "5",
    ...letters("products"),
  },
  "OpenAI to pgvector": {
    ...common("products"),
    "embedder": "openai",
    "embedder.model": "text-embedding-3-small",
    "embedder.api.key": "${env:OPENAI_API_KEY}",
    "store": "pgvector",
    "store.url": "postgresql://localhost:5432/shop",
    "store.user": "vecsink",
    "store.password": "${env:PGVECTOR_PASSWORD}",
    "store.index": "products",
    "store.create": "true",
    "store.columns": "category text, price numeric",
    ...letters("products"),
  },
  "Local model to Qdrant": {
    ...common("products"),
    "embedder": "local",
    "store": "qdrant",
    "store.url": "http://localhost:6333",
    "store.index": "products",
    "store.create": "true",
    ...letters("products"),
  },
};
