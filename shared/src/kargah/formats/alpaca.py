"""`alpaca`: an instruction, an optional input, and the output."""

from __future__ import annotations

from kargah.formats.base import Chat, Exchange, Format, Row, RowError, Turn
from kargah.formats.columns import Column, column_problem, found, optional_problem, text_of

INSTRUCTION = Column("instruction", ("دستور", "دستورالعمل"))
INPUT = Column("input", ("ورودی",))
OUTPUT = Column("output", ("خروجی", "response"))
SYSTEM = Column("system", ())


class Alpaca:
    """`{"instruction": "...", "input": "...", "output": "..."}`; `system` is used where given."""

    name = "alpaca"
    title = "Instructions with an optional input, and outputs"
    fields = ("instruction", "input", "output")
    rank = 70
    trained = True

    def detect(self, fields: frozenset[str], row: Row) -> bool:
        """An instruction and an output under any of their names."""
        return INSTRUCTION.present(row) and OUTPUT.present(row)

    def validate(self, row: Row) -> list[RowError]:
        """Instruction and output must say something; input and system may be absent or empty."""
        required = (column_problem(row, INSTRUCTION), column_problem(row, OUTPUT))
        return found(*required, optional_problem(row, INPUT), optional_problem(row, SYSTEM))

    def to_example(self, row: Row) -> Chat:
        """The input stands under the instruction in the user's turn."""
        system, given = text_of(row, SYSTEM), text_of(row, INPUT)
        asked = text_of(row, INSTRUCTION) + (f"\n\n{given}" if given.strip() else "")
        turns = (Turn("user", asked), Turn("assistant", text_of(row, OUTPUT), True))
        return Chat((Turn("system", system), *turns) if system.strip() else turns)

    def exchange(self, row: Row) -> Exchange:
        """Instruction and input, and the output."""
        output = text_of(row, OUTPUT)
        return Exchange(f"{text_of(row, SYSTEM)}\n{text_of(row, INSTRUCTION)}\n{text_of(row, INPUT)}", output, output)


FORMAT: Format = Alpaca()
