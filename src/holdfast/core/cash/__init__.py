"""Cash: shifts and their float, what goes into a drawer and out of it, its count, and the day's Z report."""
