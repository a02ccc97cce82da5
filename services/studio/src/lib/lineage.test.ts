import { describe, expect, it } from "vitest";
import { drawingOf } from "./lineage";

const node = (id: string, of: string, depth: number) => ({ id, of, depth });

describe("drawingOf", () => {
  it("puts ancestors before the version and descendants after it", () => {
    const { nodes, self, columns, edges } = drawingOf(
      "me",
      [node("base", "me", 1)],
      [node("a", "me", 1), node("b", "me", 1), node("c", "a", 2)],
    );
    expect(columns).toBe(4);
    expect(self).toEqual({ column: 1, row: 0.5 });
    expect(nodes.map(({ node: { id }, column, row }) => [id, column, row])).toEqual([
      ["base", 0, 0.5],
      ["a", 2, 0],
      ["b", 2, 1],
      ["c", 3, 0.5],
    ]);
    expect(edges).toEqual([
      ["base", "me"],
      ["me", "a"],
      ["me", "b"],
      ["a", "c"],
    ]);
  });

  it("draws what is met twice once, in its farthest generation, with both edges", () => {
    const { nodes, edges } = drawingOf(
      "me",
      [node("parent", "me", 1), node("base", "me", 1), node("base", "parent", 2)],
      [],
    );
    expect(nodes.map(({ node: { id }, column }) => [id, column])).toEqual([
      ["base", 0],
      ["parent", 1],
    ]);
    expect(edges).toHaveLength(3);
  });

  it("says how many it leaves out", () => {
    const many = Array.from({ length: 12 }, (_, place) => node(`n${place}`, "me", 1));
    const { nodes, hidden, edges } = drawingOf("me", [], many, 8);
    expect([nodes.length, hidden, edges.length]).toEqual([8, 4, 8]);
  });
});
