/** Something that is fetched when it is first needed, and null until it has come. */
export class Later<T> {
  it: T | null = $state.raw(null)
  #asked = false
  readonly #fetch: () => Promise<T>

  constructor(fetch: () => Promise<T>) {
    this.#fetch = fetch
  }

  /** To be called as often as one likes. What did not arrive is asked for again the next time. */
  need(): void {
    if (this.#asked) return
    this.#asked = true
    this.#fetch().then(
      (found) => (this.it = found),
      () => (this.#asked = false),
    )
  }
}
