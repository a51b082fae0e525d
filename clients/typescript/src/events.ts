/** Who is told when something happens. */

export interface Events<E> {
  emit<K extends keyof E>(type: K, event: E[K]): undefined
  /** Gives what ends that. */
  on<K extends keyof E>(type: K, listener: (event: E[K]) => unknown): () => void
  /** What is told of one kind. */
  of<K extends keyof E>(type: K): Iterable<(event: E[K]) => unknown>
}

export function eventsOf<E>(): Events<E> {
  const all: { [K in keyof E]?: Set<(event: E[K]) => unknown> } = {}
  const self: Events<E> = {
    of: <K extends keyof E>(type: K): Set<(event: E[K]) => unknown> => (all[type] ??= new Set()),
    emit(type, event) {
      for (const listener of self.of(type)) listener(event)
      return undefined
    },
    on(type, listener) {
      const set = self.of(type) as Set<typeof listener>
      set.add(listener)
      return () => set.delete(listener)
    },
  }
  return self
}
