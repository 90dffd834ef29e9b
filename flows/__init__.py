"""What runs: Prefect flows, each of which reads like one sentence."""
