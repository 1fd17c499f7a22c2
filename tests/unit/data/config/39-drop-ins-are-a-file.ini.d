[peers]
