"""Which videos there are: folders, lists, URIs, shards."""
