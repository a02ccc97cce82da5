import { expect, it } from "vitest";
import { withoutSequences } from "./terminal";

it("takes colours, moves and links out of a line, and nothing else", () => {
  expect(withoutSequences("\u001b[1;31mloss\u001b[0m 0.5 [ok]")).toBe("loss 0.5 [ok]");
  expect(withoutSequences("\u001b[2K\u001b[1G50%")).toBe("50%");
  expect(withoutSequences("\u001b]8;;http://a.example\u0007link\u001b]8;;\u001b\\ end")).toBe("link end");
  expect(withoutSequences("\u001b(Bplain\u001bM <b>سلام</b>")).toBe("plain <b>سلام</b>");
});
