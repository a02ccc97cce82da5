/** What is told of something while a question about it is on its way: the answer may be older than that. */
export class Meanwhile<Item> {
  #waiting = new Map<string, Set<Item[]>>();

  /** The answer to `ask`; `add` puts what was told of `key` meanwhile to it. */
  async answer<Answer>(
    key: string,
    ask: () => Promise<Answer>,
    add: (answer: Answer, told: Item[]) => Answer,
  ): Promise<Answer> {
    const told: Item[] = [];
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(told));
    try {
      return add(await ask(), told);
    } finally {
      waiting.delete(told);
      if (waiting.size === 0) this.#waiting.delete(key);
    }
  }

  tell(key: string, items: Item[]): void {
    for (const told of this.#waiting.get(key) ?? []) for (const item of items) told.push(item);
  }
}
