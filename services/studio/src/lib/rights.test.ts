import { expect, it } from "vitest";
import { mayChange } from "./rights";

it("lets those change things whom the gateway lets", () => {
  const may = (["viewer", "trainer", "admin", null] as const).map((role) => mayChange({ auth: true, role }));
  expect(may).toEqual([false, true, true, false]);
  expect(mayChange({ auth: false, role: null })).toBe(true);
});
