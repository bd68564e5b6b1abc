"""What happens to a page's pixels and what light falls on them. Effects move nothing."""
