"""A small chain on one machine, and the switch that cuts, slows or black-holes each register's line."""
