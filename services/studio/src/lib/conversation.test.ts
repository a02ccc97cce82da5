import { describe, expect, it } from "vitest";
import { freshAnswer, freshTurn, isRunning, messagesOf, settled, speedOf, type Turn, withAnswer } from "./conversation";

function talk(): Turn[] {
  const first = withAnswer([freshTurn([], "one?", ["a", "b"])], 1, 0, { text: "A1", state: "done" });
  return [...first, freshTurn(first, "two?", ["a", "b"])];
}

describe("conversation", () => {
  it("tells each side its own answers only, and leaves out what was never answered", () => {
    expect(messagesOf(talk(), 2, 0, " be brief ").map(({ content }) => content)).toEqual([
      "be brief",
      "one?",
      "A1",
      "two?",
    ]);
    expect(messagesOf(talk(), 2, 1, "")).toEqual([{ role: "user", content: "two?" }]);
  });

  it("asks a question again without what came after it", () => {
    expect(messagesOf(talk(), 1, 0, "")).toEqual([{ role: "user", content: "one?" }]);
  });

  it("runs until each side has ended, and is settled when it is kept", () => {
    expect(isRunning(talk())).toBe(true);
    expect(isRunning(settled(talk()))).toBe(false);
  });

  it("counts speed from the first token on", () => {
    const answer = { ...freshAnswer("a"), tokens: 11, firstMs: 1000, totalMs: 6000 };
    expect(speedOf(answer)).toBe(2);
    expect(speedOf({ ...answer, tokens: null })).toBeNull();
    expect(speedOf({ ...answer, tokens: 1 })).toBeNull();
  });
});
