/** A map that keeps the entries used last, at most `capacity` of them. */
export class BoundedCache<Value> {
  readonly #capacity: number;
  readonly #entries = new Map<string, Value>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What is kept under `key`, made by `create` if there is nothing. What `create` throws is not kept. */
  getOrCreate(key: string, create: () => Value): Value {
    const value = this.#entries.has(key) ? (this.#entries.get(key) as Value) : create();
    this.#entries.delete(key);
    this.#entries.set(key, value);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#capacity && oldest !== undefined) this.#entries.delete(oldest);
    return value;
  }
}
