import { describe, expect, it } from "vitest";
import { columnsIn, columnsOf, mappingText } from "./columns";

describe("columns of a file", () => {
  it("are read from JSON lines, arrays and CSV", async () => {
    expect(columnsIn('{"question": "a", "answer": "b"}\n{"x": 1}\n')).toEqual(["question", "answer"]);
    expect(columnsIn('[\n {"a": {"b": "}"}, "c": 1},\n {}]')).toEqual(["a", "c"]);
    expect(columnsIn('"سوال";جواب\n1;2')).toEqual(["سوال", "جواب"]);
    expect(await columnsOf(new Blob(["\ufeffa,b\n1,2\n"]))).toEqual(["a", "b"]);
  });

  it("are not guessed", () => {
    expect(columnsIn("one line of text")).toEqual([]);
    expect(columnsIn("PAR1\u0000\u0001,x,y")).toEqual([]);
    expect(columnsIn('{"cut": "of')).toEqual([]);
  });

  it("are mapped in pairs", () => {
    expect(
      mappingText([
        { field: " question", column: "سوال " },
        { field: "answer", column: "" },
      ]),
    ).toBe("question:سوال");
    expect(mappingText([{ field: "", column: "a" }])).toBeNull();
  });
});
