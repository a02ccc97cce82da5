import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { heardTime, serverNow } from "./clock";
import { makeFormat } from "./format";

const NOON = Date.parse("2026-06-01T12:00:00Z");
const HOUR = 3_600_000;
const en = makeFormat({ language: "en", digits: "auto", calendar: "auto" });

beforeEach(() => {
  vi.useFakeTimers({ now: NOON });
});
afterEach(() => {
  heardTime(new Date().toUTCString());
  vi.useRealTimers();
});

describe("the servers' time", () => {
  it("is what they say where this browser's is another", () => {
    heardTime(new Date(NOON - HOUR).toUTCString());
    expect(serverNow()).toBe(NOON - HOUR);
    vi.advanceTimersByTime(90_000);
    expect(serverNow()).toBe(NOON - HOUR + 90_000);
    expect(en.ago(new Date(NOON - HOUR))).toBe("1 minute ago");
  });

  it("is this browser's where they agree, and where nothing is said", () => {
    heardTime(new Date(NOON - HOUR).toUTCString());
    heardTime(null);
    heardTime("no date");
    expect(serverNow()).toBe(NOON - HOUR);
    heardTime(new Date(NOON - 900).toUTCString());
    expect(serverNow()).toBe(NOON);
  });
});
