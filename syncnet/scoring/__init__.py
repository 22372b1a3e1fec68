"""From embeddings to offset, confidence and evidence."""
