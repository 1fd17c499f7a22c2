"""A table, as text or as Markdown."""

from dataclasses import dataclass, field


@dataclass
class Table:
    """Cells are texts; the first LEFT columns are aligned to the left. The last cell of a row that
    is too short takes the rest of the line."""

    title: str
    columns: list
    left: int = 1
    rows: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def add(self, *cells):
        self.rows.append(list(cells))

    def text(self):
        full = [row for row in [self.columns, *self.rows] if len(row) == len(self.columns)]
        widths = [max(len(row[i]) for row in full) for i in range(len(self.columns))]
        for row in self.rows:
            widths = [max(pair) for pair in zip(widths, map(len, row[:-1]))] + \
                widths[len(row) - 1:]
        lines = [self.title, "", self._line(self.columns, widths)]
        lines.append("  ".join("-" * width for width in widths))
        lines += [self._line(row, widths) for row in self.rows]
        return "\n".join(line.rstrip() for line in [*lines, "", *self.notes]).rstrip() + "\n"

    def _line(self, cells, widths):
        spans = len(cells) < len(self.columns)
        left = len(cells) if spans else self.left
        return "  ".join(cell.ljust(width) if i < left else cell.rjust(width)
                         for i, (cell, width) in enumerate(zip(cells, widths)))

    def markdown(self):
        marks = ["---" if i < self.left else "---:" for i in range(len(self.columns))]
        lines = [f"**{self.title}**", ""]
        for cells in [self.columns, marks, *self.rows]:
            rest = [""] * (len(self.columns) - len(cells))
            lines.append("| " + " | ".join([*cells, *rest]) + " |")
        return "\n".join([*lines, "", *self.notes]).rstrip() + "\n"
