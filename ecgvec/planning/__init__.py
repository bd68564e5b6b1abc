"""Plans: what will happen to each image. The only place where chance is drawn."""
