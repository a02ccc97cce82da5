"""`alpaca`: an instruction, an optional input, and the output."""

from __future__ import annotations

from kargah.formats.base import Chat, Exchange, Format, Row, RowError, Turn
from kargah.formats.columns import Column, column_problem, found, optional_problem, text_of

_INSTRUCTION = Column("instruction", ("دستور", "دستورالعمل"))
_INPUT = Column("input", ("ورودی",))
_OUTPUT = Column("output", ("خروجی", "response"))
_SYSTEM = Column("system", ())


class Alpaca:
    """`{"instruction": "...", "input": "...", "output": "..."}`; `system` is used where given."""

    name = "alpaca"
    title = "Instructions with an optional input, and outputs"
    fields = ("instruction", "input", "output")
    rank = 70
    trained = True

    def detect(self, fields: frozenset[str], row: Row) -> bool:
        """An instruction and an output under any of their names."""
        return _INSTRUCTION.present(row) and _OUTPUT.present(row)

    def validate(self, row: Row) -> list[RowError]:
        """Instruction and output must say something; input and system may be absent or empty."""
        required = (column_problem(row, _INSTRUCTION), column_problem(row, _OUTPUT))
        return found(*required, optional_problem(row, _INPUT), optional_problem(row, _SYSTEM))

    def to_example(self, row: Row) -> Chat:
        """The input stands under the instruction in the user's turn."""
        system, given = text_of(row, _SYSTEM), text_of(row, _INPUT)
        asked = text_of(row, _INSTRUCTION) + (f"\n\n{given}" if given.strip() else "")
        turns = (Turn("user", asked), Turn("assistant", text_of(row, _OUTPUT), True))
        return Chat((Turn("system", system), *turns) if system.strip() else turns)

    def exchange(self, row: Row) -> Exchange:
        """Instruction and input, and the output."""
        output = text_of(row, _OUTPUT)
        return Exchange(
            f"{text_of(row, _SYSTEM)}\n{text_of(row, _INSTRUCTION)}\n{text_of(row, _INPUT)}", output, output
        )


FORMAT: Format = Alpaca()
