"""Terms of cardiology out of any text, to be written on a page as notes."""
