"""The pure planner: desired and observed become a graph of steps; and its forms: JSON, text, runbook."""
