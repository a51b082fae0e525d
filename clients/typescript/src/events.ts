/** Who is told when something happens. */

type Listeners<E> = { [K in keyof E]?: Set<(event: E[K]) => unknown> }

export interface Events<E> {
  readonly all: Listeners<E>
  emit<K extends keyof E>(type: K, event: E[K]): undefined
  /** Gives what ends that. */
  on<K extends keyof E>(type: K, listener: (event: E[K]) => unknown): () => void
}

export function eventsOf<E>(): Events<E> {
  const all: Listeners<E> = {}
  return {
    all,
    emit(type, event): undefined {
      for (const listener of all[type] ?? []) listener(event)
    },
    on(type, listener) {
      const set: Set<typeof listener> = (all[type] ??= new Set<never>())
      set.add(listener)
      return () => set.delete(listener)
    },
  }
}
