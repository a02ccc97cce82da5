import { QueryClient } from "@tanstack/react-query";
import { beforeEach, describe, expect, it, vi } from "vitest";

vi.stubGlobal("window", { location: { origin: "http://127.0.0.1" } });

const point = (step: number, value: number) => ({ name: "loss", step, value });
const line = (number: number) => ({ number, at: "", level: "info", message: `${number}`, attempt: 1 }) as const;

let history: typeof import("./history");
let client: QueryClient;
let answer: (told: unknown) => void;

beforeEach(async () => {
  history = await import("./history");
  client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  vi.stubGlobal(
    "fetch",
    () => new Promise((resolve) => (answer = (told) => resolve(new Response(JSON.stringify(told), JSON_KIND)))),
  );
});

const JSON_KIND = { headers: { "content-type": "application/json" } };
const asked = () => new Promise((resolve) => setTimeout(resolve));

describe("what happens while a snapshot is on its way", () => {
  it("is there beside it: the first one, and one that takes another's place", async () => {
    const first = client.fetchQuery(history.metricsQuery("job"));
    await asked();
    history.tellPoints(client, "job", [point(3, 1)]);
    answer({ points: [point(1, 3), point(2, 2)] });
    expect((await first).get("loss")?.steps).toEqual([1, 2, 3]);

    const second = client.fetchQuery({ ...history.metricsQuery("job"), staleTime: 0 });
    await asked();
    history.tellPoints(client, "job", [point(4, 0.5)]);
    answer({ points: [point(1, 3), point(2, 2), point(3, 1)] });
    expect((await second).get("loss")).toEqual({ steps: [1, 2, 3, 4], values: [3, 2, 1, 0.5] });
  });

  it("is told once when the snapshot has it too", async () => {
    const found = client.fetchQuery(history.metricsQuery("job"));
    await asked();
    history.tellPoints(client, "job", [point(2, 2), point(3, 1)]);
    answer({ points: [point(1, 3), point(2, 2)] });
    expect((await found).get("loss")?.steps).toEqual([1, 2, 3]);
  });

  it("loses no line of the log", async () => {
    const found = client.fetchQuery(history.logQuery("job"));
    await asked();
    history.tellLines(client, "job", [line(2), line(3)]);
    answer({ lines: [line(1), line(2)], total: 2 });
    expect((await found).map(({ number }) => number)).toEqual([1, 2, 3]);
  });
});
