import { describe, expect, it } from "vitest";
import { eventsOf, SseParser } from "./sse";

describe("SseParser", () => {
  it("gives events as soon as they are whole, wherever the pieces break", () => {
    const parser = new SseParser();
    const text =
      'id: 7\nevent: status\ndata: {"status":"training"}\n\n: keep-alive\n\nevent: log\ndata: a\ndata: b\n\n';
    const found = [...text].flatMap((character) => parser.push(character));
    expect(found).toEqual([
      { id: "7", event: "status", data: '{"status":"training"}' },
      { id: null, event: "log", data: "a\nb" },
    ]);
  });

  it("keeps what is not whole yet", () => {
    const parser = new SseParser();
    expect(parser.push("data: سلام")).toEqual([]);
    expect(parser.push("\n")).toEqual([]);
    expect(parser.push("\n")).toEqual([{ id: null, event: "message", data: "سلام" }]);
  });

  it("reads carriage returns as line ends", () => {
    expect(new SseParser().push("data: a\r\n\r\n")).toEqual([{ id: null, event: "message", data: "a" }]);
  });
});

it("takes a connection that falls silent for a broken one", async () => {
  let told: ReadableStreamDefaultController<Uint8Array> | null = null;
  let left = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      told = controller;
    },
    cancel: () => {
      left = true;
    },
  });
  const events = eventsOf(body, 30);
  (told as unknown as ReadableStreamDefaultController<Uint8Array>).enqueue(new TextEncoder().encode("data: a\n\n"));
  expect((await events.next()).value).toEqual({ id: null, event: "message", data: "a" });
  await expect(events.next()).rejects.toMatchObject({ status: 0, code: "unreachable" });
  expect(left).toBe(true);
});
