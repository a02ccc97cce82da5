import { expect, it } from "vitest";
import { shownLine, withoutSequences } from "./terminal";

it("takes colours, moves and links out of a line, and nothing else", () => {
  expect(withoutSequences("\u001b[1;31mloss\u001b[0m 0.5 [ok]")).toBe("loss 0.5 [ok]");
  expect(withoutSequences("\u001b[2K\u001b[1G50%")).toBe("50%");
  expect(withoutSequences("\u001b]8;;http://a.example\u0007link\u001b]8;;\u001b\\ end")).toBe("link end");
  expect(withoutSequences("\u001b(Bplain\u001bM <b>سلام</b>")).toBe("plain <b>سلام</b>");
});

it("shows the beginning of a line that is very long, and no half letter", () => {
  expect(shownLine("\u001b[1mloss\u001b[0m")).toEqual({ text: "loss", rest: 0 });
  expect(shownLine("x".repeat(5000))).toEqual({ text: "x".repeat(2000), rest: 3000 });
  expect(shownLine(`x${"😀".repeat(2000)}`)).toEqual({ text: `x${"😀".repeat(999)}`, rest: 2002 });
});
