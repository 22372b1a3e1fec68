"""The verbs beside the main command: merge, rejudge, report."""
