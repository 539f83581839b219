"""What breaks in the world: cut lines, killed processes, leases that end at the worst moment.

Figures in issues and papers come from longer runs: FAULT_ROUNDS for cuts and leases,
FAULT_WEB_KILLS and FAULT_DATABASE_KILLS for processes, RACE_KILLS for imports.
"""
