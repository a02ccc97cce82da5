import { beforeEach, expect, it, vi } from "vitest";

const stored = new Map<string, string>();
let heard: (event: { key: string }) => void;

beforeEach(() => {
  vi.resetModules();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
  });
  vi.stubGlobal("window", {
    addEventListener: (_name: string, listener: typeof heard) => {
      heard = listener;
    },
  });
});

it("takes over what another tab chose, and writes nothing older over it", async () => {
  const { changeSettings, followOtherTabs, settings } = await import("./settings");
  followOtherTabs();
  stored.set("kargah.settings", JSON.stringify({ language: "en" }));
  heard({ key: "kargah.settings" });
  expect(settings().language).toBe("en");
  changeSettings({ digits: "latin" });
  expect(JSON.parse(stored.get("kargah.settings") ?? "")).toMatchObject({ language: "en", digits: "latin" });
});
