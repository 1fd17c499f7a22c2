"""Contrast, and how different colours are to eyes without green cones."""
# G. M. Machado, M. M. Oliveira, L. A. F. Fernandes: A Physiologically-based Model for Simulation
# of Color Vision Deficiency (2009), severity 1, on linear RGB.
DEUTERANOPIA = [(0.367322, 0.860646, -0.227968),
                (0.280085, 0.672501, 0.047413),
                (-0.011820, 0.042940, 0.968881)]
TO_XYZ = [(0.4124564, 0.3575761, 0.1804375),
          (0.2126729, 0.7151522, 0.0721750),
          (0.0193339, 0.1191920, 0.9503041)]
WHITE = (0.95047, 1.0, 1.08883)


def linear(colour):
    """Of #rrggbb."""
    channels = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def times(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector)) for row in matrix]


def contrast(one, other):
    """As WCAG defines it: 4.5 is enough for text."""
    lights = sorted(times(TO_XYZ, linear(colour))[1] for colour in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def lab(rgb):
    def root(t):
        return t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116
    x, y, z = (root(value / white) for value, white in zip(times(TO_XYZ, rgb), WHITE))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def difference(one, other, deuteranopia):
    """CIE 1976: 2.3 is just noticeable side by side."""
    def seen(colour):
        rgb = linear(colour)
        if deuteranopia:
            rgb = [min(1, max(0, channel)) for channel in times(DEUTERANOPIA, rgb)]
        return lab(rgb)
    return sum((a - b) ** 2 for a, b in zip(seen(one), seen(other))) ** 0.5
