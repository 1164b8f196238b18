/** Who waits for news of what, by its id. */
export class TopicIndex<Waiting> {
  readonly #byId = new Map<string, Set<Waiting>>()

  get ids(): readonly string[] {
    return [...this.#byId.keys()]
  }

  add(id: string | undefined, waiting: Waiting): void {
    if (id === undefined) return
    const others = this.#byId.get(id)
    if (others) others.add(waiting)
    else this.#byId.set(id, new Set([waiting]))
  }

  remove(id: string | undefined, waiting: Waiting): void {
    if (id === undefined) return
    const others = this.#byId.get(id)
    others?.delete(waiting)
    if (others?.size === 0) this.#byId.delete(id)
  }

  of(ids: readonly string[] = []): readonly Waiting[] {
    return ids.flatMap((id) => [...(this.#byId.get(id) ?? [])])
  }
}
