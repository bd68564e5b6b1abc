"""What people put on a printed page: stamps, bars, ticks, circles; and what goes wrong with the pen."""
