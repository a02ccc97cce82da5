import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { describe, expect, it, vi } from "vitest";

vi.stubGlobal("window", { location: { origin: "http://studio.test" } });
vi.stubGlobal("localStorage", { getItem: () => null });
const { forgetDataset } = await import("./datasets");
const { forgetModel } = await import("./models");

/** A page that shows the answer to `key`; how often it has asked. */
async function shown(client: QueryClient, key: readonly unknown[]) {
  const ask = vi.fn(async () => "there");
  const observer = new QueryObserver(client, { queryKey: key, queryFn: ask, staleTime: 5_000 });
  observer.subscribe(() => {});
  await vi.waitFor(() => expect(observer.getCurrentResult().data).toBe("there"));
  return { ask, observer };
}

async function settled(): Promise<void> {
  await new Promise((done) => setTimeout(done, 20));
}

describe("a deleted dataset", () => {
  it("is not asked for again by the page that shows it", async () => {
    const client = new QueryClient();
    const page = await shown(client, ["dataset", "qa", "one", null]);
    const list = await shown(client, ["datasets", { search: "" }]);
    client.setQueryData(["dataset", "qa", "rows", 1, 0, ""], "seen before");
    forgetDataset(client, "qa");
    page.observer.setOptions(page.observer.options); // the page is drawn once more before it goes
    await settled();
    expect(page.ask).toHaveBeenCalledTimes(1);
    expect(list.ask).toHaveBeenCalledTimes(2);
    expect(client.getQueryData(["dataset", "qa", "rows", 1, 0, ""])).toBeUndefined();
  });

  it("keeps its other versions, which are asked for anew", async () => {
    const client = new QueryClient();
    const gone = await shown(client, ["dataset", "qa", "one", 2]);
    const rows = await shown(client, ["dataset", "qa", "rows", 2, 0, ""]);
    const latest = await shown(client, ["dataset", "qa", "one", null]);
    forgetDataset(client, "qa", 2);
    await settled();
    expect([gone, rows, latest].map(({ ask }) => ask.mock.calls.length)).toEqual([1, 1, 2]);
  });
});

describe("a deleted model", () => {
  it("is not asked for again by the page that shows it", async () => {
    const client = new QueryClient();
    const page = await shown(client, ["model", "tuned", null]);
    const other = await shown(client, ["model", "base", null]);
    forgetModel(client, "tuned");
    page.observer.setOptions(page.observer.options);
    await settled();
    expect([page, other].map(({ ask }) => ask.mock.calls.length)).toEqual([1, 2]);
  });

  it("keeps its other versions, which are asked for anew", async () => {
    const client = new QueryClient();
    const gone = await shown(client, ["model", "tuned", "2"]);
    const aliases = await shown(client, ["model", "tuned", "aliases"]);
    forgetModel(client, "tuned", "2");
    await settled();
    expect([gone, aliases].map(({ ask }) => ask.mock.calls.length)).toEqual([1, 2]);
  });
});
