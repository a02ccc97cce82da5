// A version's history as a drawing: generations stand in columns, ancestors before it and descendants after.

export interface Generation {
  id: string;
  of: string;
  /** Counts from 1. */
  depth: number;
}

export interface Placed<Node> {
  node: Node;
  /** Columns and rows from 0; rows may be halves. */
  column: number;
  row: number;
}

export interface Drawing<Node> {
  nodes: Placed<Node>[];
  /** Places of the column of the version itself, the number of columns, and of rows. */
  self: { column: number; row: number };
  columns: number;
  rows: number;
  /** From what was there before to what was made of it, as pairs of ids; the version itself is `self`. */
  edges: [string, string][];
  /** How many descendants are not drawn. */
  hidden: number;
}

/** At most `most` nodes a column; each once, in its farthest generation. `self` is the id of the version itself. */
export function drawingOf<Node extends Generation>(
  self: string,
  ancestors: Node[],
  descendants: Node[],
  most = 8,
): Drawing<Node> {
  const before = byDepth(ancestors, most);
  const after = byDepth(descendants, most);
  const columns = [...before.toReversed(), [], ...after];
  const rows = Math.max(1, ...columns.map((column) => column.length));
  const nodes = columns.flatMap((column, place) => placed(column, place, rows));
  const drawn = new Set([self, ...nodes.map(({ node }) => node.id)]);
  const edges = [
    ...ancestors.map(({ id, of }): [string, string] => [id, of]),
    ...descendants.map(({ id, of }): [string, string] => [of, id]),
  ].filter(([from, to]) => drawn.has(from) && drawn.has(to));
  const known = new Set([...ancestors, ...descendants].map(({ id }) => id)).size;
  return {
    nodes,
    self: { column: before.length, row: (rows - 1) / 2 },
    columns: columns.length,
    rows,
    edges,
    hidden: known - nodes.length,
  };
}

function byDepth<Node extends Generation>(nodes: Node[], most: number): Node[][] {
  const farthest = new Map<string, Node>();
  for (const node of nodes) {
    if (node.depth > (farthest.get(node.id)?.depth ?? 0)) farthest.set(node.id, node);
  }
  const columns: Node[][] = [];
  for (const node of farthest.values()) {
    const column = columns[node.depth - 1] ?? [];
    columns[node.depth - 1] = column.length < most ? [...column, node] : column;
  }
  return Array.from(columns, (column) => column ?? []);
}

/** A column's nodes, in the middle of so many rows. */
function placed<Node>(nodes: Node[], column: number, rows: number): Placed<Node>[] {
  const first = (rows - nodes.length) / 2;
  return nodes.map((node, place) => ({ node, column, row: first + place }));
}
