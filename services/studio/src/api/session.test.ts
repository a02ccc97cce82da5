import { expect, it } from "vitest";
import { otherTabChanged } from "./session";

it("tells who came or left in another tab from a session that goes on", () => {
  const [one, two] = ['{"access":"a","refresh":"b"}', '{"access":"c","refresh":"d"}'];
  expect([otherTabChanged(one, null), otherTabChanged(null, one)]).toEqual([true, true]);
  expect([otherTabChanged(one, two), otherTabChanged(null, null)]).toEqual([false, false]);
});
