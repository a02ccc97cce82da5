import { beforeAll, describe, expect, it, vi } from "vitest";

vi.stubGlobal("window", { location: { origin: "http://127.0.0.1" } });
let chat: typeof import("./chat");

beforeAll(async () => {
  chat = await import("./chat");
});

describe("pieces of an answer", () => {
  it("reads text, the end, and the tokens", () => {
    expect(chat.pieceOf({ choices: [{ delta: { content: "سلام" }, finish_reason: null }] }).text).toBe("سلام");
    expect(chat.pieceOf({ choices: [{ delta: {}, finish_reason: "length" }] }).reason).toBe("length");
    expect(chat.pieceOf({ choices: [], usage: { completion_tokens: 8 } }).tokens).toBe(8);
  });

  it("throws what went wrong in the middle", () => {
    expect(() => chat.pieceOf({ error: { message: "no", code: "internal" } })).toThrow("no");
  });
});

describe("refusals", () => {
  it("reads OpenAI's envelope, and says the status of any other", () => {
    expect(chat.refusal(429, { error: { message: "busy", code: "rate_limit_exceeded" } })).toMatchObject({
      status: 429,
      code: "rate_limit_exceeded",
    });
    expect(chat.refusal(502, null)).toMatchObject({ status: 502, code: "unknown", message: "HTTP 502" });
  });
});
