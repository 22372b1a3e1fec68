"""The verbs beside the main command: merge, rescore, report."""
