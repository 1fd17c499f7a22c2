"""A table, as text or as Markdown."""

from dataclasses import dataclass, field


@dataclass
class Table:
    """Cells are texts; the first LEFT columns are aligned to the left."""

    title: str
    columns: list
    left: int = 1
    rows: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def add(self, *cells):
        self.rows.append(list(cells))

    def text(self):
        widths = [max(len(row[i]) for row in [self.columns, *self.rows])
                  for i in range(len(self.columns))]
        lines = [self.title, "", self._line(self.columns, widths)]
        lines.append("  ".join("-" * width for width in widths))
        lines += [self._line(row, widths) for row in self.rows]
        return "\n".join(line.rstrip() for line in [*lines, "", *self.notes]).rstrip() + "\n"

    def _line(self, cells, widths):
        return "  ".join(cell.ljust(width) if i < self.left else cell.rjust(width)
                         for i, (cell, width) in enumerate(zip(cells, widths)))

    def markdown(self):
        marks = ["---" if i < self.left else "---:" for i in range(len(self.columns))]
        lines = [f"**{self.title}**", ""]
        lines += ["| " + " | ".join(cells) + " |" for cells in [self.columns, marks, *self.rows]]
        return "\n".join([*lines, "", *self.notes]).rstrip() + "\n"
