"""Where and when: the local Prefect server, the commands that run flows, the registered deployments."""
