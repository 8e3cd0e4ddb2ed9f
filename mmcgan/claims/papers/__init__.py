"""One file per claim, or per few that share their trainings."""
