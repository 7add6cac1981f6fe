"""Energy: profiles with their sources, an exact meter, models, reports, and the least possible."""
