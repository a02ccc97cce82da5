import { describe, expect, it } from "vitest";
import { shapeOf, textOf } from "./rowShapes";

describe("rows", () => {
  it("are conversations in either spelling", () => {
    const turns = [
      { role: "user", text: "سلام" },
      { role: "assistant", text: "درود" },
    ];
    const messages = [
      { role: "user", content: "سلام" },
      { role: "assistant", content: "درود" },
    ];
    const conversations = [
      { from: "human", value: "سلام" },
      { from: "gpt", value: "درود" },
    ];
    expect(shapeOf("messages", { messages, topic: "x" })).toEqual({ kind: "turns", turns, rest: [["topic", "x"]] });
    expect(shapeOf("sharegpt", { conversations })).toEqual({ kind: "turns", turns, rest: [] });
  });

  it("are questions and answers under the file's own names", () => {
    expect(shapeOf("question_answer", { سوال: "کجا؟", جواب: "تهران", id: 7 })).toEqual({
      kind: "pair",
      asked: [{ role: "سوال", text: "کجا؟" }],
      answers: [{ role: "جواب", text: "تهران" }],
      rest: [["id", 7]],
    });
    const two = shapeOf("preference", { prompt: "p", chosen: "a", rejected: "b" });
    expect(two.kind === "pair" && two.answers.map(({ role }) => role)).toEqual(["chosen", "rejected"]);
  });

  it("are fields where nothing else is certain", () => {
    expect(shapeOf("question_answer", { question: "a", answer: { text: ["b"] } }).kind).toBe("fields");
    expect(shapeOf("messages", { messages: [{ role: "user", content: [{ type: "text" }] }] }).kind).toBe("fields");
    expect(shapeOf("text", { text: "a" })).toEqual({ kind: "fields", rest: [["text", "a"]] });
  });

  it("show values as they are", () => {
    expect(textOf("a")).toBe("a");
    expect(textOf(null)).toBe("null");
    expect(textOf([1, 2])).toBe("[\n 1,\n 2\n]");
  });
});
