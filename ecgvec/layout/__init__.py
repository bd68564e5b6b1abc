"""Where everything on a page goes: templates name the leads, ``place`` turns them into millimetres."""
